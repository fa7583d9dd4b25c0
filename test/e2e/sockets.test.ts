import assert from "node:assert/strict";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, describe, it } from "node:test";
import type { ClusterSummary } from "../../src/cli/cluster/summary.ts";
import { poll } from "../../src/lib/wait.ts";
import { type Chromium, startChromium } from "../peers/chromium.ts";
import { connectClient, SocketClient } from "../integration/websocket/client.ts";
import { dragomanOk, type Quickstart, startQuickstart } from "./quickstart.ts";

const channel = `apiVersion: dragoman/v1
kind: WebSocketChannel
name: chat
spec:
  path: /chat/{room}
  services: { say: chat.say }
  onConnect: chat.enter
  security: none
`;

const example = resolve(import.meta.dirname!, "../../examples/chat");
const key = "the-key-of-all-guests";
const variants = [["haproxy", "redis"], ["embedded", "embedded"]] as const;

for (const [balancer, kvdb] of variants) {
  describe(`The chat behind the balancer ${balancer}, with ${kvdb} as KVDB`, () => {
    let cluster: Quickstart;
    let directory: string;
    before(async () => {
      cluster = await startQuickstart(["--balancer", balancer, "--kvdb", kvdb]);
      directory = await mkdtemp(join(tmpdir(), "dragoman-chat-"));
      await cp(example, directory, { recursive: true });
      const objects = join(directory, "objects/chat.yaml");
      const text = await readFile(objects, "utf8");
      await writeFile(objects, text.replace("/tmp/dragoman-chat", join(directory, "page")));
      await dragomanOk(
        ["deploy", join(directory, "services/chat.ts"), "--env", cluster.directory],
      );
      await dragomanOk(["apply", "-f", objects, "--env", cluster.directory], { CHAT_KEY: key });
    });
    after(async () => {
      await cluster?.[Symbol.asyncDispose]();
      await rm(directory, { recursive: true, force: true });
    });

    const enter = (url: string, name: string, room = "lobby") =>
      connectClient(`${url}/chat/${room}?name=${name}`, { "X-API-Key": key });
    /** As clients do that lost their connection: until it works. */
    async function enterAgain(url: string, name: string): Promise<SocketClient> {
      const attempt = () => enter(url, name).catch(() => undefined);
      const client = await poll(attempt, { timeoutMs: 20_000 });
      assert.ok(client, `${name} could not connect again`);
      return client;
    }
    const hears = (client: SocketClient, text: string) =>
      client.take(({ type, data }) => type === "push" && JSON.stringify(data).includes(text));

    /** Ends the processes that hold a server's connections. */
    async function killWorkers(name: string): Promise<void> {
      const { servers } = await cluster.json<ClusterSummary>("status");
      const server = servers.find((one) => "name" in one && one.name === name);
      assert.ok(server !== undefined && "workers" in server, `${name} does not answer`);
      for (const { pid } of server.workers) process.kill(pid, "SIGKILL");
    }

    it("carries what is said on one server to the clients of the other", async () => {
      const [first, second] = cluster.servers;
      using ana = await enter(first!.url, "Ana");
      using ben = await enter(second!.url, "Ben");
      using far = await enter(second!.url, "Far", "elsewhere");
      using cleo = await enter(cluster.balancerUrl, "Cleo");

      await ana.ask({ service: "say", input: { text: "Hello, all" } });

      for (const client of [ana, ben, cleo]) await hears(client, "Hello, all");
      await far.ask({ service: "say", input: { text: "Nobody here" } });
      await hears(far, "Nobody here");
      assert.ok(!JSON.stringify(far.inbox).includes("Hello"));
      assert.ok(!JSON.stringify(ana.inbox).includes("Nobody"));
    });

    it("lets clients of a killed worker in again, through the balancer", async () => {
      const names = ["Ana", "Ben", "Cleo", "Dan"];
      const clients = await Promise.all(names.map((name) => enter(cluster.balancerUrl, name)));
      const closed: string[] = [];
      for (const [index, client] of clients.entries()) {
        void client.closed.then(() => closed.push(names[index]!));
      }

      await killWorkers("server1");

      const some = await poll(() => closed.length > 0 || undefined, { timeoutMs: 20_000 });
      assert.ok(some, "No client was on the worker that was killed");
      for (const name of [...closed]) {
        clients[names.indexOf(name)] = await enterAgain(cluster.balancerUrl, name);
      }
      using speaker = await enterAgain(cluster.servers[0]!.url, "Eve"); // its worker is replaced
      await speaker.ask({ service: "say", input: { text: "Back again" } });
      for (const client of clients) {
        await hears(client, "Back again");
        client.socket.close();
      }
    });

    it("sends clients of a server that stops to the other one", async () => {
      const [, second] = cluster.servers;
      const ben = await enter(second!.url, "Ben");
      using cleo = await enter(cluster.servers[0]!.url, "Cleo");

      await dragomanOk(["stop", join(cluster.directory, "server2")]);

      assert.equal((await ben.closed).code, 1001);
      await hears(cleo, "Ben leaves");
      using again = await enterAgain(cluster.balancerUrl, "Ben");
      await again.ask({ service: "say", input: { text: "Still here" } });
      await hears(cleo, "Still here");
      await dragomanOk(["start", join(cluster.directory, "server2")]);
    });

    if (balancer !== "haproxy") return;
    it("is used by people, whose page connects again by itself", async () => {
      const browser: Chromium = await startChromium();
      try {
        const { page, complaints } = browser;
        await page.goto(`${cluster.balancerUrl}/chat-page/`);
        await page.getByLabel("Name").fill("Eve");
        await page.getByLabel("Key").fill("wrong-key-wrong-key");
        await page.getByRole("button", { name: "Enter" }).click();
        await page.getByText("Credentials are missing or not valid").waitFor();
        await page.reload();
        await page.getByLabel("Name").fill("Eve");
        await page.getByLabel("Key").fill(key);
        await page.getByRole("button", { name: "Enter" }).click();
        await page.getByText("You are in").waitFor();

        using ana = await enter(cluster.servers[0]!.url, "Ana");
        await page.getByLabel("Message").fill("Hello from a page");
        await page.getByRole("button", { name: "Say" }).click();
        await hears(ana, "Hello from a page");
        await page.getByText("Eve: Hello from a page").waitFor();

        assert.deepEqual(complaints, []);
        for (const { name } of cluster.servers) await killWorkers(name);
        await page.getByText("Connecting again").waitFor();
        await page.getByText("You are in").waitFor({ timeout: 20_000 });
      } finally {
        await browser.stop();
      }
    });
  });
}

describe("Two workers of one server whose KVDB is gone", () => {
  it("pass pushes on to each other through their supervisor", async () => {
    await using cluster = await startQuickstart(["--servers", "1", "--workers", "2"]);
    const objects = join(cluster.directory, "chat.yaml");
    await writeFile(objects, channel);
    await dragomanOk(["deploy", join(example, "services/chat.ts"), "--env", cluster.directory]);
    await dragomanOk(["apply", "-f", objects, "--env", cluster.directory]);
    await dragomanOk(["stop", join(cluster.directory, "kvdb")]);
    const [server] = cluster.servers;

    // The system spreads connections over the workers: some are on each.
    const clients = await Promise.all(
      Array.from(
        { length: 16 },
        (_, index) => connectClient(`${server!.url}/chat/a?name=N${index}`),
      ),
    );
    await clients[0]!.ask({ service: "say", input: { text: "Hello, workers" } });

    for (const client of clients) {
      await client.take(({ data }) => JSON.stringify(data ?? "").includes("Hello, workers"));
      client.socket.close();
    }
  });
});

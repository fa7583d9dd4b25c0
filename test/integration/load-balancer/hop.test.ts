import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { request as openRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { createAuthority, issueCertificate } from "../../../src/ca/index.ts";
import { findFreePort } from "../../../src/lib/ports.ts";
import type { Role, TlsMaterial } from "../../../src/mtls/identity.ts";
import type { BackendServer } from "../../../src/load-balancer/engine.ts";
import { sendCommand } from "../../../src/load-balancer/haproxy/control-socket.ts";
import type { InitMessage } from "../../../src/server/worker/protocol.ts";
import { channel, WorkerProcess } from "../data-plane/worker-process.ts";
import { AnyBalancer, engines } from "./any-balancer.ts";
import { Load } from "./haproxy-client.ts";

const key = "k".repeat(43);
const nextKey = "n".repeat(43);

/** Tells whom the service takes its client to be. */
const whoAmI = `
export const who = defineService({
  name: "who",
  async handle({ request }) {
    return { address: request.remoteAddress, headers: Object.fromEntries(request.headers) };
  },
});`;

interface Who {
  readonly address: string;
  readonly headers: Readonly<Record<string, string>>;
}

let directory: string;
const material = new Map<string, TlsMaterial>();

before(async () => {
  directory = await mkdtemp(join(tmpdir(), "dragoman-hop-"));
  const ca = join(directory, "ca");
  await createAuthority(ca, {});
  for (
    const [role, name] of [["server", "one"], ["server", "two"], ["web-admin", "one"]] as const
  ) {
    material.set(`${role}/${name}`, await issue(ca, role, name));
  }
});
after(() => rm(directory, { recursive: true }));

async function issue(ca: string, role: Role, name: string): Promise<TlsMaterial> {
  const issued = await issueCertificate(ca, {
    identity: { cluster: "test", role, name },
    hosts: ["127.0.0.1"],
  });
  const [cert, privateKey, authority] = await Promise.all(
    [issued.certPath, issued.keyPath, issued.caPath].map((file) => readFile(file, "utf8")),
  );
  return { cert: cert!, key: privateKey!, ca: authority! };
}

async function startWorker(init: Partial<InitMessage> = {}): Promise<WorkerProcess> {
  const worker = await WorkerProcess.start({ hopKeys: [key], ...init });
  const bundles = [await worker.bundle("who.ts", whoAmI)];
  await worker.configure({ bundles, upserted: [channel("/who", "who"), channel("/", "who")] });
  return worker;
}

const behind = (worker: WorkerProcess, more: Partial<BackendServer> = {}): BackendServer => ({
  ...{ name: "one", host: "127.0.0.1", port: worker.port, draining: false },
  ...more,
});

/** Asks from another address than the balancer's own. */
function ask(port: number, headers: Readonly<Record<string, string>> = {}): Promise<Who> {
  return new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port, path: "/who", localAddress: "127.0.0.77", headers };
    const request = openRequest({ ...options, agent: false }, async (response) => {
      let body = "";
      for await (const chunk of response) body += chunk;
      if (response.statusCode === 200) resolve(JSON.parse(body));
      else reject(new Error(`${response.statusCode} ${body}`));
    });
    request.once("error", reject);
    request.end();
  });
}

describe("a server", () => {
  it("believes nobody on its machine who only says whom he speaks for", async () => {
    await using worker = await startWorker();
    const claims = { "X-Forwarded-For": "6.6.6.6", "X-Forwarded-Proto": "https" };
    for (const shown of [undefined, "v1-", "v1-undefined", `v1-${nextKey}`, key]) {
      const hop = shown === undefined ? {} : { "X-Dragoman-Hop": shown };
      assert.equal((await ask(worker.port, { ...claims, ...hop })).address, "127.0.0.77");
    }
    const proven = await ask(worker.port, { ...claims, "X-Dragoman-Hop": `v1-${key}` });
    assert.equal(proven.address, "6.6.6.6");
  });

  it("shows the proof to no service and writes it into no log", async () => {
    await using worker = await startWorker();
    const { headers } = await ask(worker.port, { "X-Dragoman-Hop": `v1-${key}`, "X-Mine": "1" });
    assert.equal(headers["x-mine"], "1");
    assert.equal(headers["x-dragoman-hop"], undefined);
    assert.ok(!worker.log.includes(key));
  });

  it("takes new keys while it runs, and forgets those that do not hold any more", async () => {
    await using worker = await startWorker();
    const claim = { "X-Forwarded-For": "6.6.6.6" };
    const as = async (shown: string) =>
      (await ask(worker.port, { ...claim, "X-Dragoman-Hop": `v1-${shown}` })).address;
    worker.send({ type: "hopKeys", keys: [key, nextKey] });
    assert.deepEqual([await as(key), await as(nextKey)], ["6.6.6.6", "6.6.6.6"]);
    worker.send({ type: "hopKeys", keys: [nextKey] });
    assert.deepEqual([await as(key), await as(nextKey)], ["127.0.0.77", "6.6.6.6"]);
  });
});

for (const engine of engines) {
  describe(`the hop from the ${engine} balancer`, () => {
    it("tells servers who the client is, whatever the client says", async () => {
      await using worker = await startWorker();
      const servers = [behind(worker)];
      await using balancer = await AnyBalancer.open({ engine, servers, hopKey: key });

      const plain = await ask(balancer.port);
      const forged = await ask(balancer.port, {
        "X-Forwarded-For": "6.6.6.6",
        "X-Dragoman-Hop": `v1-${nextKey}`,
        "X-Real-IP": "6.6.6.6",
      });

      assert.equal(plain.address, "127.0.0.77");
      assert.equal(forged.address, "127.0.0.77");
      assert.equal(forged.headers["x-dragoman-hop"], undefined);
      assert.equal(forged.headers["x-real-ip"], undefined);
    });

    it("changes its key under load without a failed request", async () => {
      await using worker = await startWorker({ hopKeys: [key, nextKey] });
      const servers = [behind(worker)];
      await using balancer = await AnyBalancer.open({ engine, servers, hopKey: key });
      const load = new Load({ port: balancer.port });
      await load.further(200);

      await balancer.engine.useHopKey(nextKey);
      worker.send({ type: "hopKeys", keys: [nextKey] });
      await load.further(200);

      assert.equal((await ask(balancer.port)).address, "127.0.0.77");
      assert.deepEqual((await load.stop()).failures, []);
    });

    it("keeps its key out of files, logs and what operators can ask for", async () => {
      await using worker = await startWorker();
      const servers = [behind(worker)];
      await using balancer = await AnyBalancer.open({ engine, servers, hopKey: key });
      await ask(balancer.port);
      const shown = [balancer.engine.configuration.text(), ...balancer.logLines];
      if (engine === "haproxy") {
        const socket = join(balancer.directory, "run", "haproxy.sock");
        for (const what of ["env", "stat", "info", "sess all", "servers state"]) {
          shown.push(await sendCommand(socket, `show ${what}`));
        }
      }
      for (const text of shown) assert.ok(!text.includes(key), text);
    });

    it("is TLS with a server that wants it, which must be the one that it should be", async () => {
      const tls = material.get("server/one")!;
      await using worker = await startWorker({ tls });
      const servers = [behind(worker, { tls: true })];
      await using balancer = await AnyBalancer.open({
        ...{ engine, servers, hopKey: key, clusterCa: tls.ca },
      });
      assert.equal((await ask(balancer.port)).address, "127.0.0.77");
      await assert.rejects(fetch(worker.url + "/who"), "it speaks no plain HTTP");
    });

    it("takes no other server's certificate, nor another part's of the same name", async () => {
      for (const impostor of ["server/two", "web-admin/one"]) {
        const tls = material.get(impostor)!;
        await using worker = await startWorker({ tls });
        await using balancer = await AnyBalancer.open({ engine, hopKey: key, clusterCa: tls.ca });
        await balancer.engine.setServers([behind(worker, { tls: true })]);
        await balancer.until("one", ({ state }) => state === "down");
      }
    });

    it("moves a server to TLS and back", async () => {
      const tls = material.get("server/one")!;
      const port = await findFreePort();
      await using plain = await startWorker();
      await using secure = await startWorker({ tls, http: { host: "127.0.0.1", port } });
      const servers = [behind(plain)];
      await using balancer = await AnyBalancer.open({
        ...{ engine, servers, hopKey: key, clusterCa: tls.ca },
      });
      for (const next of [behind(secure, { tls: true }), behind(plain)]) {
        await balancer.engine.setServers([next]);
        await balancer.until("one", ({ state }) => state === "up");
        assert.equal((await ask(balancer.port)).address, "127.0.0.77");
      }
    });
  });
}

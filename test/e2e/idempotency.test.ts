import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { poll } from "../../src/lib/wait.ts";
import { signalTree } from "../../src/rehearsal/faults/processes.ts";
import { dragoman, type Quickstart, startQuickstart } from "./quickstart.ts";

let cluster: Quickstart;
/** Every run of a service appends a line here: what it was told, and its server. */
let ledger: string;

before(async () => {
  cluster = await startQuickstart();
  ledger = join(cluster.directory, "ledger.txt");
  await writeFile(ledger, "");
  const file = join(cluster.directory, "orders.ts");
  await writeFile(file, source());
  const deployed = await cluster.run("deploy", file);
  assert.equal(deployed.exitCode, 0, deployed.stderr);
  const objects = join(cluster.directory, "orders.yaml");
  await writeFile(objects, channel("orders", "refuse") + "---\n" + channel("again", "repeat"));
  const applied = await cluster.run("apply", "-f", objects);
  assert.equal(applied.exitCode, 0, applied.stderr);
});

after(async () => {
  await cluster?.[Symbol.asyncDispose]();
});

function channel(name: string, whenUnknown: string): string {
  return `apiVersion: dragoman/v1
kind: RestChannel
name: ${name}
spec:
  path: /${name}
  methods: [POST]
  service: orders.create
  whenUnknown: ${whenUnknown}
  security: none
`;
}

/** Waits, having noted that it began, until there is a file of the name that it is told. */
function source(): string {
  return `import { appendFileSync, existsSync } from "node:fs";
import { defineService, z } from "dragoman";
export const create = defineService({
  name: "orders.create",
  input: z.object({ id: z.string(), until: z.string() }),
  async handle({ input, server }) {
    appendFileSync(${JSON.stringify(ledger)}, input.id + " " + server + "\\n");
    while (!existsSync(input.until)) await new Promise((resolve) => setTimeout(resolve, 10));
    return { server };
  },
});
`;
}

/** The servers on which an order was begun, in order. */
async function begunOn(id: string): Promise<readonly string[]> {
  const lines = (await readFile(ledger, "utf8")).split("\n");
  return lines.filter((line) => line.startsWith(`${id} `)).map((line) => line.split(" ")[1]!);
}

function order(path: string, id: string, until: string): Promise<Response> {
  return fetch(cluster.balancerUrl + path, {
    method: "POST",
    headers: { "Content-Type": "application/json", "Idempotency-Key": id },
    body: JSON.stringify({ id, until }),
  });
}

/** Sends an order, and kills its server when it has begun; resolves to that server. */
async function strike(path: string, id: string, until: string) {
  const answer = order(path, id, until);
  const [server] = await poll(async () => {
    const begun = await begunOn(id);
    return begun.length > 0 ? begun : undefined;
  }, { timeoutMs: 20_000 }) ?? [];
  const found = (await cluster.components()).find(({ name }) => name === server);
  assert.ok(found?.pid, `no process of ${server}`);
  signalTree({ pid: found.pid, others: [] }, "SIGKILL"); // a daemon leads its group
  return { server: found, answer };
}

describe("When a server dies that executes a request with a key", () => {
  it("its client is told that nobody knows, and nobody executes it again", async () => {
    const id = randomUUID();
    const until = join(cluster.directory, id);
    const { server, answer } = await strike("/orders", id, until);
    await dragoman(["start", server.directory]);

    const told = await answer;
    const problem = await told.json();
    await writeFile(until, "");
    const again = await order("/orders", id, until);

    assert.deepEqual([told.status, problem.code], [409, "REQUEST_KEY_UNKNOWN"]);
    assert.equal((await again.json()).code, "REQUEST_KEY_UNKNOWN");
    assert.deepEqual(await begunOn(id), [server.name]);
  });

  it("its client is answered by another one where the channel bears that", async () => {
    const id = randomUUID();
    const until = join(cluster.directory, id);
    const { server, answer } = await strike("/again", id, until);
    await writeFile(until, "");
    await dragoman(["start", server.directory]);

    const answered = await answer;
    const { server: by } = await answered.json();
    const replayed = await order("/again", id, until);

    assert.equal(answered.status, 200);
    assert.deepEqual(await begunOn(id), [server.name, by]);
    assert.equal(replayed.headers.get("idempotency-replayed"), "true");
    assert.deepEqual(await replayed.json(), { server: by });
  });
});

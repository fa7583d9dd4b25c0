import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { StoredObject } from "../../../src/catalog/kind.ts";
import type { OutgoingStatus, PingResult } from "../../../src/connectors/contract.ts";
import { kinds } from "../../../src/connectors/registry.ts";
import { PlatformError } from "../../../src/errors/platform-error.ts";
import { findFreePort } from "../../../src/lib/ports.ts";
import { parseClusterKey } from "../../../src/security/cluster-key.ts";
import { sealSpec } from "../../../src/security/secrets.ts";
import type { Questions } from "../../../src/server/worker/protocol.ts";
import { channel, clusterKey, object, WorkerProcess } from "../data-plane/worker-process.ts";
import { type Peer, sendJson, startPeer } from "./http-peer.ts";

const service = `
export const call = defineService({
  name: "call",
  input: z.object({ to: z.string(), path: z.string().default("") }),
  async handle({ input, out }) {
    return (await out.rest(input.to).get(input.path)).data;
  },
});`;

let worker: WorkerProcess;
let peer: Peer;
let questions = 0;
let revision = 0;

async function upsert(...objects: readonly (readonly [string, string, Record<string, unknown>])[]) {
  const key = parseClusterKey(clusterKey);
  const upserted: StoredObject[] = [];
  for (const [kind, name, spec] of objects) {
    const declared = kinds.get(kind)!;
    const sealed = await sealSpec(declared, declared.schema.parse(spec), { key, name });
    upserted.push(object(kind, name, sealed, ++revision));
  }
  return await worker.configure({ upserted, bundles: [await worker.bundle("s.ts", service)] });
}

async function ask<T extends keyof Questions>(
  topic: T,
  question: Questions[T]["question"],
): Promise<Questions[T]["answer"]> {
  const id = ++questions;
  worker.send({ type: "ask", id, topic, question });
  const { answer, error } = await worker.message("answered", (message) => message.id === id);
  if (error !== undefined) throw PlatformError.fromJson(error);
  return answer as Questions[T]["answer"]; // the topic says what it is
}

async function get(to: string, path = "") {
  const response = await worker.fetch(`/call?to=${to}&path=${encodeURIComponent(path)}`);
  return { status: response.status, text: await response.text() };
}

before(async () => {
  worker = await WorkerProcess.start();
  peer = await startPeer((request, response) => {
    if (request.url === "/slow") return;
    const status = Number(request.url!.slice(1)) || 200;
    sendJson(response, { authorization: request.headers.authorization ?? null }, status);
  });
  const { failures } = await worker.configure({
    upserted: [channel("/call", "call", { timeoutMs: 2_000 })],
    bundles: [await worker.bundle("s.ts", service)],
  });
  assert.deepEqual(failures, []);
});

after(async () => {
  await worker?.[Symbol.asyncDispose]();
  await peer?.[Symbol.asyncDispose]();
});

describe("A service that calls another system", () => {
  it("shows the credential, and the new one once that is changed", async () => {
    const login = (password: string) =>
      ["BasicCredentials", "crm-login", { username: "u", password }] as const;
    const basic = (password: string) => `Basic ${Buffer.from(`u:${password}`).toString("base64")}`;
    await upsert(login("hunter-1"), ["RestOutgoing", "CRM", {
      address: peer.url,
      credential: "crm-login",
      timeoutMs: 300,
    }]);

    assert.deepEqual(JSON.parse((await get("CRM")).text), { authorization: basic("hunter-1") });
    const { connections } = peer;
    // What has nothing to do with it leaves the connection alone.
    await upsert(["ApiKey", "other", { key: "0123456789abcdef" }]);
    await get("CRM");
    assert.equal(peer.connections, connections);

    await upsert(login("hunter-2"));
    assert.deepEqual(JSON.parse((await get("CRM")).text), { authorization: basic("hunter-2") });
    assert.equal(peer.connections, connections + 1);
  });

  it("lets its callers know no more than a status when the other side fails", async () => {
    await upsert(
      ["RestOutgoing", "gone", { address: `http://127.0.0.1:${await findFreePort()}` }],
      ["RestOutgoing", "off", { address: peer.url, active: false }],
    );
    for (
      const [to, path, status, code] of [
        ["gone", "", 502, "OUTGOING_UNREACHABLE"],
        ["CRM", "/404", 502, "OUTGOING_STATUS"],
        ["CRM", "/500", 502, "OUTGOING_STATUS"],
        ["CRM", "/slow", 504, "OUTGOING_TIMEOUT"],
        ["off", "", 503, "OUTGOING_INACTIVE"],
      ] as const
    ) {
      const answer = await get(to, path);
      assert.equal(answer.status, status, answer.text);
      const { cid: _, title: __, ...rest } = JSON.parse(answer.text);
      assert.deepEqual(rest, { status, code });
    }
    const unknown = await get("CRN");
    assert.equal(unknown.status, 500);
    assert.doesNotMatch(unknown.text, /CR[MN]/);
    await worker.logged('There is no RestOutgoing \\"CRN\\", did you mean \\"CRM\\"?');
  });

  it("never writes down what it shows", () => {
    for (const secret of ["hunter-", Buffer.from("u:hunter-1").toString("base64")]) {
      assert.ok(!worker.log.includes(secret), worker.log);
    }
  });
});

describe("An outgoing connection in a worker", () => {
  it("that cannot be opened is a failure of its own, and its neighbours work", async () => {
    const { failures } = await upsert(
      ["RestOutgoing", "orphan", { address: peer.url, credential: "nobody" }],
      ["RestOutgoing", "fine", { address: peer.url }],
    );

    assert.deepEqual(failures, [{
      kind: "RestOutgoing",
      name: "orphan",
      error: 'RestOutgoing "orphan" cannot be used: The credential "nobody" is missing',
    }]);
    assert.equal((await get("orphan")).status, 500);
    assert.equal((await get("fine")).status, 200);
    const ping = ask("ping", { kind: "RestOutgoing", name: "orphan", timeoutMs: 1_000 });
    await assert.rejects(ping, /"nobody" is missing/);
  });

  it("comes to life when what it refers to comes", async () => {
    const nobody = { username: "u", password: "p" };
    const { failures } = await upsert(["BasicCredentials", "nobody", nobody]);

    assert.deepEqual(failures, []);
    assert.equal((await get("orphan")).status, 200);
  });

  it("can be tested, also when it is not active, and says how it fares", async () => {
    const ping = (name: string): Promise<PingResult> =>
      ask("ping", { kind: "RestOutgoing", name, timeoutMs: 5_000 });
    const status = (name: string): Promise<OutgoingStatus | null> =>
      ask("status", { kind: "RestOutgoing", name });

    assert.equal((await ping("off")).detail, `HTTP 200 from ${peer.url}`);
    await assert.rejects(ping("gone"), /connection refused/);
    await assert.rejects(ping("fin"), /did you mean "fine"/);
    assert.equal((await status("off"))?.state, "inactive");
    const gone = await status("gone");
    assert.equal(gone?.state, "ready");
    assert.equal(gone?.figures["failures"], 1);
    assert.match(String(gone?.lastError), /connection refused/);
    assert.equal(await status("nowhere"), null);
  });
});

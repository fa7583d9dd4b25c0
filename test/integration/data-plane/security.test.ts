import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { kinds } from "../../../src/connectors/registry.ts";
import { parseClusterKey } from "../../../src/security/cluster-key.ts";
import { sealSpec } from "../../../src/security/secrets.ts";
import type { StoredObject } from "../../../src/catalog/kind.ts";
import { channel, clusterKey, object, WorkerProcess } from "./worker-process.ts";

const services = `
  export const who = defineService({
    name: "who",
    handle: ({ request }) => ({
      principal: request.principal ?? null, from: request.remoteAddress,
    }),
  });
`;

async function sealed(
  kind: string,
  name: string,
  spec: Readonly<Record<string, unknown>>,
): Promise<StoredObject> {
  const key = parseClusterKey(clusterKey);
  return object(kind, name, await sealSpec(kinds.get(kind)!, spec, { key, name }));
}

function basic(username: string, password: string): { Authorization: string } {
  return { Authorization: `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}` };
}

const firstKey = "first-key-0123456789";
const secondKey = "second-key-0123456789";

describe("A worker guarding channels", () => {
  let worker: WorkerProcess;

  before(async () => {
    worker = await WorkerProcess.start({ trustedProxies: ["127.0.0.1", "10.0.0.9"] });
    const { failures } = await worker.configure({
      upserted: [
        await sealed("ApiKey", "first", { key: firstKey }),
        await sealed("ApiKey", "second", { key: secondKey, header: "X-Other" }),
        await sealed("BasicAuth", "ana", { username: "ana", password: "päss:word" }),
        await sealed("BasicAuth", "bo", { username: "bo", password: "other" }),
        channel("/key", "who", { security: ["first"] }),
        channel("/any", "who", { security: ["first", "second", "ana", "bo"] }),
        channel("/basic", "who", { security: ["ana"] }),
        channel("/open", "who"),
      ],
      bundles: [await worker.bundle("who.ts", services)],
    });
    assert.deepEqual(failures, []);
  });
  after(() => worker[Symbol.asyncDispose]());

  async function principal(path: string, headers: HeadersInit = {}): Promise<unknown> {
    const response = await worker.fetch(path, { headers });
    const answer = await response.json();
    return response.status === 200 ? answer.principal?.name : response.status;
  }

  const attempts: readonly [string, string, Record<string, string>, unknown][] = [
    ["the right key", "/key", { "X-API-Key": firstKey }, "first"],
    ["the right key again", "/key", { "X-API-Key": firstKey }, "first"],
    ["no key", "/key", {}, 401],
    ["an empty key", "/key", { "X-API-Key": "" }, 401],
    ["a wrong key", "/key", { "X-API-Key": "wrong" }, 401],
    ["the beginning of the key", "/key", { "X-API-Key": firstKey.slice(0, -1) }, 401],
    ["more than the key", "/key", { "X-API-Key": `${firstKey}0` }, 401],
    ["the key twice", "/key", { "X-API-Key": `${firstKey}, ${firstKey}` }, 401],
    ["another definition's key", "/key", { "X-API-Key": secondKey }, 401],
    ["the key in another header", "/key", { Authorization: firstKey }, 401],
    ["the key in the query", `/key?X-API-Key=${firstKey}`, {}, 401],
    ["a definition with its own header", "/any", { "X-Other": secondKey }, "second"],
    ["the right password", "/basic", basic("ana", "päss:word"), "ana"],
    ["the right password again", "/basic", basic("ana", "päss:word"), "ana"],
    ["one of several passwords", "/any", basic("bo", "other"), "bo"],
    ["a wrong key beside a right password", "/any", {
      "X-API-Key": "wrong",
      ...basic("bo", "other"),
    }, "bo"],
    ["a wrong password", "/basic", basic("ana", "wrong"), 401],
    ["an unknown user", "/basic", basic("eve", "päss:word"), 401],
    ["another user of another channel", "/basic", basic("bo", "other"), 401],
    ["no colon", "/basic", { Authorization: "Basic YW5h" }, 401],
    ["no base64", "/basic", { Authorization: "Basic %%%" }, 401],
    ["another scheme", "/basic", { Authorization: "Bearer YW5hOng=" }, 401],
    ["nothing, where nothing is asked", "/open", {}, undefined],
  ];
  for (const [name, path, headers, expected] of attempts) {
    it(`judges ${name}`, async () => {
      assert.deepEqual(await principal(path, headers), expected);
    });
  }

  it("says which schemes it takes, and nothing else", async () => {
    const response = await worker.fetch("/any");
    const { cid: _, ...problem } = await response.json();

    assert.equal(
      response.headers.get("www-authenticate"),
      'Basic realm="dragoman", charset="UTF-8", ApiKey',
    );
    assert.deepEqual(problem, {
      title: "Unauthorized",
      status: 401,
      detail: "Credentials are missing or not valid",
      code: "REQUEST_UNAUTHORIZED",
    });
  });

  it("answers 429 to a flood of guesses, while known credentials go on", async () => {
    await principal("/basic", basic("ana", "päss:word"));
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, index) => principal("/basic", basic("ana", `guess ${index}`))),
    );

    assert.ok(answers.includes(429), String(answers));
    assert.ok(answers.every((status) => status === 401 || status === 429 || status === 503));
    assert.equal(await principal("/basic", basic("ana", "päss:word")), "ana");
  });

  const forwarded: readonly [string, string | undefined, string][] = [
    ["without the header", undefined, "127.0.0.1"],
    ["behind one proxy", "203.0.113.7", "203.0.113.7"],
    ["behind two proxies", "203.0.113.7, 10.0.0.9", "203.0.113.7"],
    ["with a made-up beginning", "1.1.1.1, 203.0.113.7", "203.0.113.7"],
  ];
  for (const [name, header, expected] of forwarded) {
    it(`finds the client's address ${name}`, async () => {
      const headers: HeadersInit = header === undefined ? {} : { "X-Forwarded-For": header };
      const response = await worker.fetch("/open", { headers });

      assert.equal((await response.json()).from, expected);
    });
  }

  it("takes over a changed key at once, and keeps no old one", async () => {
    const renewed = "renewed-key-0123456789";
    const definition = await sealed("ApiKey", "first", { key: renewed });
    const bundles = [await worker.bundle("who.ts", services)];
    await worker.configure({ upserted: [{ ...definition, revision: 2 }], bundles });

    assert.equal(await principal("/key", { "X-API-Key": renewed }), "first");
    assert.equal(await principal("/key", { "X-API-Key": firstKey }), 401);
  });

  it("never writes a credential into its log", () => {
    assert.doesNotMatch(worker.log, /first-key|second-key|päss|guess/);
  });
});

describe("A worker without trusted proxies", () => {
  it("does not believe X-Forwarded-For", async () => {
    await using worker = await WorkerProcess.start();
    const bundle = await worker.bundle("who.ts", services);
    await worker.configure({ upserted: [channel("/open", "who")], bundles: [bundle] });

    const response = await worker.fetch("/open", { headers: { "X-Forwarded-For": "1.1.1.1" } });

    assert.equal((await response.json()).from, "127.0.0.1");
  });
});

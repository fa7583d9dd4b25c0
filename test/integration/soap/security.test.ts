import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { StoredObject } from "../../../src/catalog/kind.ts";
import { kinds } from "../../../src/connectors/registry.ts";
import { parseClusterKey } from "../../../src/security/cluster-key.ts";
import { sealSpec } from "../../../src/security/secrets.ts";
import { clusterKey, object, type WorkerProcess } from "../data-plane/worker-process.ts";
import { envelope, post, sumBody } from "./messages.ts";
import { soapChannel, startOrders } from "./orders.ts";

async function sealed(
  kind: string,
  name: string,
  spec: Readonly<Record<string, unknown>>,
): Promise<StoredObject> {
  const key = parseClusterKey(clusterKey);
  return object(kind, name, await sealSpec(kinds.get(kind)!, spec, { key, name }));
}

const ana = { Authorization: `Basic ${Buffer.from("ana:pass word").toString("base64")}` };

let worker: WorkerProcess;
before(async () => {
  worker = await startOrders([
    await sealed("BasicAuth", "ana", { username: "ana", password: "pass word" }),
    await sealed("ApiKey", "key", { key: "key-0123456789abcdef" }),
    soapChannel("/basic", { security: ["ana", "key"] }),
    soapChannel("/public", { security: ["ana"], wsdl: "public" }),
    soapChannel("/roles", { security: ["ana"], roles: ["writer"] }),
  ]);
});
after(() => worker[Symbol.asyncDispose]());

describe("A guarded SOAP channel", () => {
  it("lets in who shows any of its credentials", async () => {
    const key = { "X-API-Key": "key-0123456789abcdef" };

    assert.equal((await post(worker, "/basic", envelope(sumBody), ana)).status, 200);
    assert.equal((await post(worker, "/basic", envelope(sumBody), key)).status, 200);
  });

  it("answers 401 with a fault and a challenge, before it looks at the body", async () => {
    const { status, fault, headers, text } = await post(worker, "/basic", "<not", {});

    assert.deepEqual([status, fault], [401, "Client"]);
    assert.match(headers.get("www-authenticate") ?? "", /Basic realm=/);
    assert.match(text, /<faultstring>Credentials are missing or not valid<\/faultstring>/);
  });

  it("answers 403 to a client without the role", async () => {
    const { status, fault } = await post(worker, "/roles", envelope(sumBody), ana);

    assert.deepEqual([status, fault], [403, "Client"]);
  });

  it("shows its WSDL to whom it lets in, or to everybody", async () => {
    assert.equal((await worker.fetch("/basic?wsdl")).status, 401);
    assert.equal((await worker.fetch("/basic?wsdl", { headers: ana })).status, 200);
    assert.equal((await worker.fetch("/public?wsdl")).status, 200);
    assert.equal((await post(worker, "/public", envelope(sumBody))).status, 401);
  });
});

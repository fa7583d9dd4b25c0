import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { wsseNamespace, wsuNamespace } from "../../../src/security/ws-security/names.ts";
import { renderUsernameToken } from "../../../src/security/ws-security/username-token.ts";
import { type RedisPeer, startRedis } from "../../peers/redis.ts";
import { WorkerProcess } from "../data-plane/worker-process.ts";
import { sealed } from "../security/sealed-object.ts";

const source = `
export const ping = defineService({ name: "ping", output: z.object({}), handle: () => ({}) });`;

let redis: RedisPeer;
const workers: WorkerProcess[] = [];

before(async () => {
  redis = await startRedis();
  for (let count = 0; count < 2; count++) {
    const worker = await WorkerProcess.start({ kvdb: { url: redis.url } });
    workers.push(worker);
    const { failures } = await worker.configure({
      bundles: [await worker.bundle("ping.ts", source)],
      upserted: [
        await sealed("WsSecurity", "erp", { username: "ana", password: "s3cret" }),
        await sealed("SoapChannel", "ping", {
          path: "/ping",
          service: "ping",
          namespace: "urn:p",
          security: ["erp"],
        }),
      ],
    });
    assert.deepEqual(failures, []);
  }
});
after(async () => {
  for (const worker of workers) await worker[Symbol.asyncDispose]();
  await redis?.stop();
});

function message(): string {
  const token = renderUsernameToken({
    username: "ana",
    password: "s3cret",
    type: "digest",
    now: new Date(),
  });
  return '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Header>' +
    `<wsse:Security xmlns:wsse="${wsseNamespace}" xmlns:wsu="${wsuNamespace}">${token}` +
    '</wsse:Security></s:Header><s:Body><Ping xmlns="urn:p"/></s:Body></s:Envelope>';
}

async function send(worker: WorkerProcess, body: string): Promise<number> {
  const headers = { "content-type": "text/xml" };
  const response = await worker.fetch("/ping", { method: "POST", headers, body });
  await response.text();
  return response.status;
}

describe("A nonce", () => {
  it("is taken once by all workers together", async () => {
    const [one, two] = [workers[0]!, workers[1]!];
    const body = message();
    const statuses = await Promise.all([one, two, one, two].map((each) => send(each, body)));
    assert.deepEqual(statuses.sort(), [200, 401, 401, 401]);
  });

  it("is taken once by each worker while the KVDB is away", async () => {
    await redis.stop();
    const [one, two] = [workers[0]!, workers[1]!];
    const body = message();
    assert.deepEqual([await send(one, body), await send(one, body)], [200, 401]);
    assert.equal(await send(two, body), 200);
    await one.logged("Replays are seen by each process alone");
  });
});

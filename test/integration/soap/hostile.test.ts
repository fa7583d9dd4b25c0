import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { WorkerProcess } from "../data-plane/worker-process.ts";
import { hostileCases } from "./hostile-cases.ts";
import { envelope, post, sumBody } from "./messages.ts";
import { startOrders } from "./orders.ts";

let worker: WorkerProcess;
before(async () => {
  worker = await startOrders();
});
after(() => worker[Symbol.asyncDispose]());

describe("A SOAP channel survives", () => {
  for (const [index, { name, body, headers }] of hostileCases.entries()) {
    it(`${name} (${index})`, async () => {
      const reply = await post(worker, "/orders", body, headers);

      assert.ok(reply.status >= 400 && reply.status <= 500, `${reply.status} ${reply.text}`);
      assert.notEqual(reply.fault, undefined, reply.text);
      assert.notEqual(reply.fault, "Server", reply.text);
      assert.doesNotMatch(reply.text, /root:|daemon:|\.ts:\d|node_modules/);
    });
  }

  it("all of them, many at once, and goes on", async () => {
    const replies = await Promise.all(
      hostileCases.map(({ body, headers }) => post(worker, "/orders", body, headers)),
    );
    const { text } = await post(worker, "/orders", envelope(sumBody));

    assert.equal(replies.filter(({ status }) => status < 400).length, 0);
    assert.match(text, /<sum>1<\/sum>/);
    assert.equal(worker.child.exitCode, null);
    assert.equal(({} as Record<string, unknown>)["a"], undefined);
    assert.doesNotMatch(worker.log, /"level":"(error|fatal)"/);
  });
});

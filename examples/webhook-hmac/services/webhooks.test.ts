import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { beforeEach, describe, it } from "node:test";
import { createTestKit, type TestRequest } from "dragoman/testing";
import { orderPaid, receive } from "./webhooks.ts";

const secret = "a secret that only the shop knows";
const paid = { type: "order.paid", data: { order: "A-17", cents: 1250 } };

describe("webhooks.receive", () => {
  let kit: ReturnType<typeof createTestKit>;

  beforeEach(() => {
    kit = createTestKit({ services: [orderPaid], configs: { webhooks: { secret } } });
  });

  /** A request as the shop makes it. */
  const signed = (event: unknown, { id = "msg_1", key = secret, ageMs = 0 } = {}) => {
    const rawBody = JSON.stringify(event);
    const sentAt = String(Math.floor((kit.clock.now() - ageMs) / 1_000));
    const hmac = createHmac("sha256", key).update(`${id}.${sentAt}.${rawBody}`).digest("base64");
    const headers = {
      "webhook-id": id,
      "webhook-timestamp": sentAt,
      "webhook-signature": `v1,b2xk v1,${hmac}`,
    };
    return [event, { rawBody, headers }] as const;
  };

  it("hands the work over, which runs later", async () => {
    const { output } = await kit.run(receive, ...signed(paid));
    const [invocation] = await kit.runPending();

    assert.deepEqual(output, { accepted: true });
    assert.equal(invocation?.state, "done");
    assert.deepEqual(invocation?.output, { order: "A-17", isPaid: true });
  });

  it("takes an event once", async () => {
    await kit.run(receive, ...signed(paid));
    const { output } = await kit.run(receive, ...signed(paid));

    assert.deepEqual(output, { accepted: false });
    assert.equal(kit.invoked.length, 1);
  });

  it("takes an event again whose work could not be kept", async () => {
    kit.outages.odb = true;
    await kit.fails(receive, ...signed(paid));
    kit.outages.odb = false;
    const { output } = await kit.run(receive, ...signed(paid));

    assert.deepEqual(output, { accepted: true });
  });

  it("refuses wrong keys, changed bodies and old events", async () => {
    const [, { headers }] = signed(paid);
    const changed = { rawBody: JSON.stringify({ ...paid, data: { cents: 1 } }), headers };
    const requests: readonly (readonly [unknown, TestRequest])[] = [
      signed(paid, { key: "another" }),
      signed(paid, { ageMs: 6 * 60_000 }),
      [paid, changed],
      [paid, {}],
    ];
    for (const request of requests) {
      assert.equal((await kit.fails(receive, ...request)).status, 401);
    }
    assert.deepEqual(kit.invoked, []);
  });

  it("says what is wrong with a signed event", async () => {
    const { status, message } = await kit.fails(receive, ...signed({ type: "order.lost" }));

    assert.equal(status, 400);
    assert.match(message, /type/);
  });
});

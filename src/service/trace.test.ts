import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createTraceparent } from "./trace.ts";

const pattern = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

describe("A traceparent for another system", () => {
  it("belongs to the trace of the request, with a span of its own", () => {
    const id = "0af7651916cd43dd8448eb211c80319c";
    const request = { traceparent: `00-${id}-b7ad6b7169203331-01` };

    const [one, other] = [createTraceparent(request), createTraceparent(request)];

    assert.deepEqual([pattern.exec(one)?.[1], pattern.exec(one)?.[3]], [id, "01"]);
    assert.equal(pattern.exec(other)?.[1], id);
    assert.notEqual(one, other);
    assert.ok(!one.includes("b7ad6b7169203331"));
  });

  it("begins a trace where there is none, the same for all calls of a request", () => {
    const malformed = [
      undefined,
      "",
      "00-xyz",
      `00-${"0".repeat(32)}-b7ad6b7169203331-01`,
      `ff-${"a".repeat(32)}-b7ad6b7169203331-01`,
    ];
    for (const traceparent of malformed) {
      const request = { traceparent };
      const [one, other] = [createTraceparent(request), createTraceparent(request)];
      assert.match(one, pattern);
      assert.equal(pattern.exec(one)?.[1], pattern.exec(other)?.[1]);
      assert.notEqual(
        pattern.exec(createTraceparent({ traceparent }))?.[1],
        pattern.exec(one)?.[1],
      );
    }
  });
});

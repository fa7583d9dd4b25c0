import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { loadBalancerConfigSchema } from "../../config/schemas.ts";
import { ClientLimits, networkOf } from "./client-limits.ts";

function limits(fields: Readonly<Record<string, number>>): ClientLimits {
  const schema = loadBalancerConfigSchema.shape.limits;
  return new ClientLimits(schema.parse(fields));
}

describe("ClientLimits", () => {
  it("counts what each address has open", () => {
    const two = limits({ connectionsPerAddress: 2 });
    const first = two.open("10.0.0.1");
    assert.deepEqual(
      [first, two.open("::ffff:10.0.0.1"), two.open("10.0.0.1"), two.open("10.0.0.2")]
        .map(({ isSurplus }) => isSurplus),
      [false, false, true, false],
    );
    first.close();
    assert.equal(two.open("10.0.0.1").isSurplus, true);
  });

  it("counts requests in a period that slides", () => {
    const ten = limits({ requestsPerAddress: 10, ratePeriodMs: 1_000 });
    const ask = (count: number, atMs: number) =>
      Array.from({ length: count }, () => ten.isTooFast("10.0.0.1", atMs))
        .filter((refused) => refused).length;
    assert.equal(ask(10, 0), 0);
    assert.equal(ask(3, 900), 3);
    assert.equal(ten.isTooFast("10.0.0.2", 900), false);
    assert.equal(ask(1, 1_100), 1);
    assert.equal(ask(1, 1_900), 0);
    assert.equal(ask(10, 5_000), 0);
  });

  it("limits nothing that no field asks for", () => {
    const none = limits({});
    for (let i = 0; i < 1_000; i++) {
      assert.equal(none.open("10.0.0.1").isSurplus || none.isTooFast("10.0.0.1", 0), false);
    }
  });
});

describe("networkOf", () => {
  it("takes an IPv6 network of 64 bits for one client", () => {
    assert.equal(networkOf("192.0.2.7"), "192.0.2.7");
    assert.equal(networkOf("::ffff:192.0.2.7"), "192.0.2.7");
    assert.equal(networkOf("2001:db8:1:2:a:b:c:d"), "2001:db8:1:2");
    assert.equal(networkOf("2001:db8::1"), "2001:db8:0:0");
    assert.equal(networkOf("2001:0db8:0:0:ffff::"), "2001:db8:0:0");
    assert.equal(networkOf("::1"), "0:0:0:0");
    assert.equal(networkOf("fe80::1%eth0"), "fe80:0:0:0");
  });
});

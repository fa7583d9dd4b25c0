import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Address, AddressList, type Balance } from "./addresses.ts";
import type { BreakerOptions } from "./breaker.ts";

const breaker = { failureRatio: 0.5, windowMs: 1_000, callsMin: 1, openMs: 1_000, probes: 1 };

function list(count: number, balance: Balance, options: BreakerOptions | undefined = undefined) {
  const clock = { now: 0 };
  const urls = Array.from({ length: count }, (_, index) => new URL(`http://host-${index}`));
  const addresses = new AddressList({ urls, balance, breaker: options, now: () => clock.now });
  const choose = (avoid: readonly Address[] = []) => {
    const choice = addresses.choose(new Set(avoid));
    choice?.settle("success");
    return choice && addresses.all.indexOf(choice.address);
  };
  return { addresses, clock, choose };
}

describe("The addresses of a connection", () => {
  it("are used in order, the first one as long as it does not rest", () => {
    const { addresses, clock, choose } = list(3, "in-order");

    assert.deepEqual([choose(), choose()], [0, 0]);
    addresses.rest(addresses.all[0]!);
    assert.deepEqual([choose(), choose()], [1, 1]);
    addresses.rest(addresses.all[1]!);
    addresses.rest(addresses.all[2]!);
    assert.equal(choose(), 0, "when all rest, all are as good as ever");
    clock.now += 5_000;
    assert.equal(choose(), 0);
  });

  it("are used in turn, those left out that rest", () => {
    const { addresses, choose } = list(3, "round-robin");

    assert.deepEqual([choose(), choose(), choose(), choose()], [0, 1, 2, 0]);
    addresses.rest(addresses.all[1]!);
    const chosen = Array.from({ length: 30 }, () => choose());
    assert.ok(!chosen.includes(1));
    assert.ok(chosen.includes(0) && chosen.includes(2));
  });

  it("are tried again, those first that have not been tried in this call", () => {
    const { addresses, choose } = list(2, "in-order");
    const [first, second] = addresses.all;

    assert.equal(choose([first!]), 1);
    addresses.rest(second!);
    assert.equal(choose([first!]), 1, "resting is better than having failed just now");
    assert.equal(addresses.hasFresh(new Set([first!])), false);
    assert.equal(choose([first!, second!]), 0);
  });

  it("are left alone while their circuit breaker is open", () => {
    const { addresses, clock, choose } = list(2, "in-order", breaker);

    addresses.choose(new Set())!.settle("failure");
    assert.equal(choose(), 1);
    addresses.choose(new Set())!.settle("failure");
    assert.equal(choose(), undefined);
    clock.now += 1_000;
    assert.equal(choose(), 0);
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type CallOutcome, CircuitBreaker } from "./breaker.ts";

const options = { failureRatio: 0.5, windowMs: 1_000, callsMin: 4, openMs: 500, probes: 2 };

function open(more: Partial<typeof options> = {}) {
  const clock = { now: 10_000 };
  const breaker = new CircuitBreaker({ ...options, ...more }, () => clock.now);
  const call = (...outcomes: readonly CallOutcome[]) => {
    for (const outcome of outcomes) breaker.enter()!(outcome);
  };
  return { clock, breaker, call };
}

describe("A circuit breaker", () => {
  it("opens when enough of enough calls failed, and not before", () => {
    const { breaker, call } = open();

    call("failure", "failure", "failure");
    assert.equal(breaker.state, "closed");
    call("success");
    assert.equal(breaker.state, "closed", "it looks when a call fails");
    call("failure");

    assert.equal(breaker.state, "open");
    assert.equal(breaker.enter(), undefined);
    assert.equal(breaker.retryInMs, 500);
  });

  it("forgets what was longer ago than its window, and what says nothing", () => {
    const { breaker, call, clock } = open();

    call("failure", "failure", "failure");
    clock.now += 1_100;
    call("failure", "unknown", "unknown", "unknown", "unknown");
    assert.equal(breaker.state, "closed");
    call("failure", "failure", "failure");
    assert.equal(breaker.state, "open");
  });

  it("lets a few calls try, and closes when all of them succeed", () => {
    const { breaker, clock, call } = open();
    call("failure", "failure", "failure", "failure");
    clock.now += 499;
    assert.equal(breaker.state, "open");
    clock.now += 1;
    assert.equal(breaker.state, "half-open");

    const [first, second] = [breaker.enter()!, breaker.enter()!];
    assert.equal(breaker.enter(), undefined, "two may try, not three");
    first("success");
    assert.equal(breaker.state, "half-open");
    second("success");

    assert.equal(breaker.state, "closed");
    call("failure", "failure", "failure");
    assert.equal(breaker.state, "closed", "what was before does not count");
  });

  it("opens again when one of them fails, and lets another try when one says nothing", () => {
    const { breaker, clock, call } = open();
    call("failure", "failure", "failure", "failure");
    clock.now += 500;

    breaker.enter()!("unknown");
    const [first, second] = [breaker.enter()!, breaker.enter()!];
    first("failure");
    assert.equal(breaker.state, "open");
    assert.equal(breaker.retryInMs, 500);
    second("success"); // began before, and says nothing of now

    assert.equal(breaker.state, "open");
  });

  it("is not opened again by calls that began before it opened", () => {
    const { breaker, clock, call } = open();
    const late = breaker.enter()!;
    call("failure", "failure", "failure", "failure");
    clock.now += 500;
    late("failure");
    assert.equal(breaker.state, "half-open");
  });
});

import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { delay, poll } from "../../lib/wait.ts";
import { silentLogger } from "../../telemetry/logger.ts";
import { BalancerRegistration } from "./balancer-registration.ts";

const intervalMs = 20;

let calls: string[];
let isAway: boolean;
let registration: BalancerRegistration;

beforeEach(async () => {
  calls = [];
  isAway = false;
  const note = (what: string) => {
    if (isAway) return Promise.reject(new Error("nobody answers"));
    calls.push(what);
    return Promise.resolve();
  };
  registration = new BalancerRegistration({
    agent: {
      url: "https://a:1",
      hopKeys: () => Promise.resolve([]),
      register: () => note("register"),
      drain: () => note("drain"),
      stepAside: () => note("aside"),
    },
    server: "server1",
    address: { host: "127.0.0.1", port: 17010 },
    keys: { learn: () => Promise.resolve() },
    logger: silentLogger,
    intervalMs,
  });
  await registration.start();
});

/** Long enough for several registrations. */
const severalIntervals = () => delay(10 * intervalMs);

describe("A server's registration", () => {
  it("ends with it, however often it was told to come back before", async () => {
    await Promise.all([1, 2, 3].map(() => registration.stepBack()));
    void registration.stepBack();

    await registration.stop();
    await registration.stepBack();
    await severalIntervals();

    assert.equal(calls.at(-1), "drain");
  });

  it("does not end a draining that it asked for", async () => {
    await registration.stepBack();
    await registration.stepAside();
    await severalIntervals();

    assert.equal(calls.at(-1), "aside");
    await registration.stop();
  });

  it("is taken back although the agent was away when it was repeated", async () => {
    isAway = true;
    await severalIntervals();
    isAway = false;

    await registration.stop();

    assert.equal(calls.at(-1), "drain");
  });

  it("goes on while the server serves", async () => {
    const isRepeated = () => calls.length > 3 || undefined;
    assert.ok(await poll(isRepeated, { timeoutMs: 10_000, intervalMs }));
    await registration.stop();
  });
});

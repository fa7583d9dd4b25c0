import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { PlatformError } from "../../errors/platform-error.ts";
import { silentLogger } from "../../telemetry/logger.ts";
import type { BalancerAgent } from "./balancer-registration.ts";
import { Balancers } from "./balancers.ts";

let directory: string;
let balancers: Balancers;
let calls: string[];
/** How often the second balancer cannot spare the server. */
let refusals: number;

function agent(name: string, stepAside = () => Promise.resolve()): BalancerAgent {
  const note = (what: string) => {
    calls.push(`${name} ${what}`);
    return Promise.resolve();
  };
  return {
    url: `https://${name}:1`,
    hopKeys: () => Promise.resolve([]),
    register: () => note("register"),
    drain: () => note("drain"),
    stepAside: async () => {
      await stepAside();
      await note("aside");
    },
  };
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "dragoman-balancers-"));
  calls = [];
  refusals = 0;
  balancers = new Balancers({
    agents: [
      agent("a"),
      agent("b", async () => {
        if (refusals-- > 0) throw new PlatformError("BALANCER_LAST_SERVER", { name: "server1" });
      }),
    ],
    server: "server1",
    address: { host: "127.0.0.1", port: 17010 },
    check: { host: "127.0.0.1", port: 0 },
    keyFile: join(directory, "hop-keys.json"),
    vitals: () => [],
    onKeys: () => {},
    logger: silentLogger,
  });
  await balancers.prepare();
  await balancers.start();
  calls = [];
});

afterEach(async () => {
  await balancers.stop();
  balancers.close();
  await rm(directory, { recursive: true, force: true });
});

const work = () => Promise.resolve(void calls.push("work"));

describe("A server that steps aside", () => {
  it("is in no rotation meanwhile, and in all of them again", async () => {
    await balancers.aside(work);

    assert.deepEqual(calls, ["a aside", "b aside", "work", "a register", "b register"]);
  });

  it("goes back to all balancers while one of them cannot spare it, and tries again", async () => {
    refusals = 1;

    await balancers.aside(work);

    assert.deepEqual(calls, [
      ...["a aside", "a register", "b register"],
      ...["a aside", "b aside", "work", "a register", "b register"],
    ]);
  });

  it("comes back when what it did has failed", async () => {
    await assert.rejects(balancers.aside(() => Promise.reject(new Error("no"))), /no/);

    assert.deepEqual(calls.slice(-2), ["a register", "b register"]);
  });

  it("does not come back once it has left for good", async () => {
    await balancers.aside(async () => {
      await balancers.stop();
      calls = [];
    });

    assert.deepEqual(calls, []);
  });
});

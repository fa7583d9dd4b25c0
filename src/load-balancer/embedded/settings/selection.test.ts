import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Backend } from "../backend.ts";
import { createSelection } from "./selection.ts";

function backend(name: string, sessions: number, weight = 100): Backend {
  return { name, sessions, weight } as Partial<Backend> as Backend;
}

/** How many of 2,000 requests each gets while its sessions stay what they are. */
function shares(backends: readonly Backend[]): Record<string, number> {
  const { pick } = createSelection("random");
  const counts: Record<string, number> = {};
  for (let request = 0; request < 2_000; request++) {
    const { name } = pick(backends, undefined);
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

// What is drawn is random: the bounds are many standard deviations away from the mean.
describe("Servers that are drawn", () => {
  it("get what their weights say while none is busy", () => {
    const { light = 0, heavy = 0 } = shares([backend("light", 0, 25), backend("heavy", 0, 75)]);

    assert.ok(light > 300 && light < 700, `${light} and ${heavy}`);
  });

  it("get less while they are busier than the others", () => {
    const { busy = 0 } = shares([backend("busy", 9), backend("a", 0), backend("b", 0)]);

    // Only where nothing else is drawn: one request in 81.
    assert.ok(busy < 100, `${busy}`);
  });
});

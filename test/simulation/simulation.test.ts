import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Breakage, breakages } from "./breakages.ts";
import type { FaultName } from "./faults.ts";
import { runSchedule, type ScheduleOptions } from "./schedule.ts";

/** The first of so many seeds that breaks a promise, and which. */
function firstFailure(
  count: number,
  options: ScheduleOptions = {},
): { readonly seed: number; readonly text: string } | undefined {
  for (let seed = 1; seed <= count; seed++) {
    const { violation } = runSchedule(seed, options);
    if (violation !== undefined) return { seed, text: violation };
  }
  return undefined;
}

describe("A simulated cluster", () => {
  it("keeps its promises in 20,000 random schedules of faults", () => {
    assert.deepEqual(firstFailure(20_000), undefined, "replay it: npm run simulate -- --seed N");
  });

  it("does the same things again for the same seed", () => {
    const read = (seed: number) => {
      const lines: string[] = [];
      runSchedule(seed, { onLine: (line) => lines.push(line) });
      return lines;
    };

    assert.deepEqual(read(7), read(7));
    assert.notDeepEqual(read(7), read(8));
    assert.match(read(7).join("\n"), /holds scheduler, epoch 1/);
  });

  it("has schedules in which much happens", () => {
    const results = Array.from({ length: 200 }, (_, seed) => runSchedule(seed));
    const average = (of: (result: typeof results[number]) => number) =>
      results.reduce((sum, result) => sum + of(result), 0) / results.length;

    // Two leases: each changes hands about once.
    assert.ok(average(({ terms }) => terms) > 4);
    assert.ok(average(({ runs }) => runs) > 10);
    assert.ok(average(({ events }) => events) > 300);
  });
});

/** How long nobody had the scheduler's lease after its holder ended so, at most, in ms. */
function longestVacancy(
  fault: FaultName,
  end: RegExp,
): { readonly ms: number; readonly count: number } {
  let ms = 0;
  let count = 0;
  for (let seed = 1; seed <= 1_000; seed++) {
    let endedAt: number | undefined;
    const onLine = (line: string) => {
      const at = Number(line.trim().split(" ", 1));
      if (line.includes("holds scheduler") && endedAt !== undefined) {
        ms = Math.max(ms, at - endedAt);
        count += 1;
        endedAt = undefined;
      } else if (end.test(line)) {
        endedAt = at;
      }
    };
    runSchedule(seed, { faults: [fault], faultCount: 1, onLine });
  }
  return { ms, count };
}

describe("The scheduler's lease", () => {
  it("has its next holder within a second of a clean stop", () => {
    const { ms, count } = longestVacancy("stop", /lost scheduler, epoch \d+: withdrawn/);

    assert.ok(count > 300, `${count} stops of a holder`);
    assert.ok(ms < 1_000, `${ms} ms`);
  });

  it("has its next holder within 10 s of a crash", () => {
    const { ms, count } = longestVacancy("crash", /holder {2}crash/);

    assert.ok(count > 300, `${count} crashes of a holder`);
    assert.ok(ms > 1_000 && ms < 10_000, `${ms} ms`);
  });
});

describe("The simulation", () => {
  // Which promise a bug breaks, and the faults among which it shows soonest.
  const bugs: Record<Breakage, { readonly breaks: RegExp; readonly faults: readonly FaultName[] }> =
    {
      "no-margin": { breaks: /believe to hold lease/, faults: ["cut", "clock-step", "slow"] },
      "no-fence": { breaks: /a write of epoch .* was taken after/, faults: ["pause", "slow"] },
      "late-answer-revives": { breaks: /believe to hold lease/, faults: ["slow"] },
      "claims-twice": { breaks: /runs twice/, faults: ["crash"] },
      "plans-with-gaps": { breaks: /was never planned/, faults: ["crash", "cut"] },
      "late-plan-overwrites": {
        breaks: /begins as it was in revision/,
        faults: ["slow", "change", "freeze"],
      },
      "jobs-before-ledger": { breaks: /begins as it was in revision/, faults: ["change", "slow"] },
      "begins-late": { breaks: /was never planned/, faults: ["change", "slow", "cut"] },
      "hints-only": { breaks: /not every server runs revision/, faults: ["change"] },
    };

  for (const breakage of breakages) {
    it(`finds the bug "${breakage}"`, () => {
      const { breaks, faults } = bugs[breakage];

      const failure = firstFailure(50_000, { breakage, faults });

      assert.match(failure?.text ?? "nothing found", breaks);
    });
  }
});

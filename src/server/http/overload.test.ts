import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Logger } from "../../telemetry/logger.ts";
import { Overload } from "./overload.ts";

const limits = { inFlight: 10, waitMs: 200, burstMs: 1_000 };

function overloadWith(
  backlog: { readonly waiting: number; readonly waitMs: number; readonly behindMs: number },
  logger: Partial<Logger> = { warn: () => {} },
): Overload {
  return new Overload(backlog, limits, logger as Logger); // it says nothing else in here
}

describe("Overload", () => {
  it("refuses nothing while nothing waits", () => {
    assert.equal(
      overloadWith({ waiting: 0, waitMs: 0, behindMs: 9_000 }).refusal(9),
      undefined,
    );
  });

  it("bears a burst, and refuses when the wait lasts", () => {
    const burst = { waiting: 40, waitMs: 900, behindMs: 900 };

    assert.equal(overloadWith(burst).refusal(9), undefined);
    assert.equal(overloadWith({ ...burst, behindMs: 1_001 }).refusal(9)?.code, "REQUEST_OVERLOAD");
    assert.equal(
      overloadWith({ ...burst, waitMs: 200, behindMs: 1_001 }).refusal(9),
      undefined,
    );
  });

  it("bears no burst of which the last would wait too long", () => {
    const refusal = overloadWith({ waiting: 90, waitMs: 1_001, behindMs: 10 }).refusal(9);

    assert.equal(refusal?.status, 503);
    assert.equal(refusal.retryAfterMs, 1_000);
  });

  it("refuses when as many as may be have no answer yet", () => {
    const idle = overloadWith({ waiting: 0, waitMs: 0, behindMs: 0 });

    assert.equal(idle.refusal(10)?.code, "REQUEST_OVERLOAD");
    assert.equal(idle.refusedTotal, 1);
  });

  it("says once in the log that it began", () => {
    const lines: string[] = [];
    const full = overloadWith({ waiting: 0, waitMs: 0, behindMs: 0 }, {
      warn: (text: string) => lines.push(text),
    });
    full.refusal(10);
    full.refusal(11);

    assert.deepEqual(lines, ["Overloaded: requests are refused"]);
  });
});

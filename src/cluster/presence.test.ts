import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Presence } from "./presence.ts";

/** What a server may do right after each of its reports, told as seconds. */
function after(...reports: readonly number[]): Pick<Presence, "isSeen" | "judgesSilence"> {
  const presence = new Presence(() => reports.at(-1)! * 1_000);
  for (const at of reports) presence.reported(at * 1_000);
  return presence;
}

describe("A server's presence", () => {
  it("is not known to others before its first report", () => {
    const { isSeen, judgesSilence } = new Presence();

    assert.deepEqual([isSeen, judgesSilence], [false, false]);
  });

  it("lets it judge others when it has reported for as long as they were silent", () => {
    assert.equal(after(0).isSeen, true);
    assert.equal(after(0, 2, 4, 6, 8).judgesSilence, false);
    assert.equal(after(0, 2, 4, 6, 8, 10).judgesSilence, true);
  });

  it("begins anew with the first report after a gap", () => {
    const before = [0, 2, 4, 6, 8, 10];

    assert.equal(after(...before, 16).judgesSilence, true);
    assert.equal(after(...before, 22).isSeen, true);
    assert.equal(after(...before, 22).judgesSilence, false);
    assert.equal(after(...before, 22, 24, 26, 28, 30, 32).judgesSilence, true);
  });

  it("is in doubt while no report can be written", () => {
    let now = 0;
    const presence = new Presence(() => now);
    for (; now <= 10_000; now += 2_000) presence.reported(now);

    now = 16_001;

    assert.deepEqual([presence.isSeen, presence.judgesSilence], [false, false]);
  });
});

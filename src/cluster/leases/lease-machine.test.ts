import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { LeaseMachine } from "./lease-machine.ts";
import { patientLeaseTiming } from "./lease-timing.ts";

const { ttlMs, marginMs, renewMs, yieldMs, patienceMs } = patientLeaseTiming;
const beliefMs = ttlMs - marginMs;

/** Holds epoch 1, granted at once at time 0. */
function holding(): LeaseMachine {
  const machine = new LeaseMachine("scheduler", patientLeaseTiming);
  machine.see(undefined, { now: 0, isPreferred: true });
  assert.equal(machine.next(0), "acquire");
  machine.granted(1, { sentAt: 0, now: 0 });
  return machine;
}

const free = { isTaken: false, isOurs: false, epoch: 1 };

describe("A lease that is held", () => {
  it("is believed in until its margin, counted from when it was asked for", () => {
    const machine = new LeaseMachine("scheduler", patientLeaseTiming);
    machine.granted(1, { sentAt: 100, now: 900 });

    assert.equal(machine.isHeldAt(100 + beliefMs - 1), true);
    assert.equal(machine.isHeldAt(100 + beliefMs), false);
  });

  it("is believed in from each renewal on, counted from when it was sent", () => {
    const machine = holding();

    assert.equal(machine.renewAt, renewMs);
    machine.renewed(1, { sentAt: renewMs, now: renewMs + 500 });

    assert.equal(machine.isHeldAt(renewMs + beliefMs - 1), true);
    assert.equal(machine.isHeldAt(renewMs + beliefMs), false);
    assert.equal(machine.renewAt, 2 * renewMs);
  });

  it("is not revived by a renewal whose answer came after its end", () => {
    const machine = holding();

    machine.renewed(1, { sentAt: beliefMs - 100, now: beliefMs });

    assert.equal(machine.isHeldAt(beliefMs), false);
  });

  it("does not become shorter by an answer that was overtaken by a later one", () => {
    const machine = holding();

    machine.renewed(1, { sentAt: 2_000, now: 2_010 });
    machine.renewed(1, { sentAt: 1_000, now: 2_020 });

    assert.equal(machine.isHeldAt(2_000 + beliefMs - 1), true);
  });

  it("ends when the ODB denies its epoch, and not when it denies an older one", () => {
    const machine = holding();

    assert.equal(machine.denied(0), false);
    assert.equal(machine.isHeldAt(1), true);
    assert.equal(machine.denied(1), true);
    assert.equal(machine.isHeldAt(1), false);
  });
});

describe("A lease that is wanted", () => {
  it("is not begun by a grant that comes too late", () => {
    const machine = new LeaseMachine("scheduler", patientLeaseTiming);

    assert.equal(machine.granted(1, { sentAt: 0, now: beliefMs }), false);
    assert.equal(machine.isHeldAt(beliefMs), false);
  });

  it("is left for a while to the server that is preferred for it", () => {
    const machine = new LeaseMachine("scheduler", patientLeaseTiming);

    machine.see(free, { now: 1_000, isPreferred: false });
    assert.equal(machine.next(1_000), undefined);
    machine.see(free, { now: 1_300, isPreferred: false });

    assert.equal(machine.next(1_000 + yieldMs - 1), undefined);
    assert.equal(machine.next(1_000 + yieldMs), "acquire");
  });

  it("is asked for again when no answer comes", () => {
    const machine = new LeaseMachine("scheduler", patientLeaseTiming);
    machine.see(free, { now: 0, isPreferred: true });
    machine.next(0);

    machine.see(free, { now: 500, isPreferred: true });

    assert.equal(machine.next(patienceMs - 1), undefined);
    assert.equal(machine.next(patienceMs), "acquire");
  });

  it("is taken up when the ODB says that it is ours, as after an answer that was lost", () => {
    const machine = new LeaseMachine("scheduler", patientLeaseTiming);

    machine.see({ isTaken: true, isOurs: true, epoch: 3 }, { now: 0, isPreferred: false });

    assert.equal(machine.next(0), "acquire");
  });

  it("is not asked for while another server has it", () => {
    const machine = new LeaseMachine("scheduler", patientLeaseTiming);
    machine.see(free, { now: 0, isPreferred: false });

    machine.see({ isTaken: true, isOurs: false, epoch: 2 }, { now: 100, isPreferred: true });

    assert.equal(machine.next(10_000), undefined);
  });
});

describe("A lease that is given up", () => {
  it("is not held from that moment on, and is released", () => {
    const machine = holding();

    machine.giveUp();

    assert.equal(machine.isHeldAt(1), false);
    assert.equal(machine.returnEpoch, 1);
    assert.equal(machine.next(1), "release");
  });

  it("never comes back under the same epoch: its release may be carried out at any time", () => {
    const machine = holding();
    machine.giveUp();
    machine.next(1);
    machine.failed("release");
    // The ODB has not heard of it, so it would grant the same epoch again.
    machine.see({ isTaken: true, isOurs: true, epoch: 1 }, { now: 500, isPreferred: true });

    assert.equal(machine.next(500), "release");
    assert.equal(machine.granted(1, { sentAt: 600, now: 610 }), false);
    assert.equal(machine.granted(2, { sentAt: 600, now: 620 }), true);
  });

  it("is given back when it is granted after it is not wanted any more", () => {
    const machine = new LeaseMachine("scheduler", patientLeaseTiming);
    machine.see(free, { now: 0, isPreferred: true });
    machine.next(0);
    machine.withdraw();

    assert.equal(machine.granted(2, { sentAt: 0, now: 10 }), false);
    assert.equal(machine.next(10), "release");
    assert.equal(machine.returnEpoch, 2);
  });

  it("is released when an earlier wish, then unheard of, was granted after all", () => {
    const machine = holding();
    machine.withdraw();
    machine.next(1);
    machine.released(1);

    machine.see({ isTaken: true, isOurs: true, epoch: 2 }, { now: 9_000, isPreferred: true });

    assert.equal(machine.next(9_000), "release");
    assert.equal(machine.isWanted, false);
  });
});

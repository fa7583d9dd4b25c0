import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DesiredStateMachine, type DesiredStep } from "./desired-state-machine.ts";

/** One that runs revision 1. */
function running(): DesiredStateMachine {
  const machine = new DesiredStateMachine({ pollMs: 2_000, random: () => 0.5 });
  machine.read(1);
  machine.adopted(1);
  return machine;
}

function look(machine: DesiredStateMachine): DesiredStep {
  machine.look();
  return machine.next();
}

const restMs = (step: DesiredStep) => step.do === "rest" ? step.ms : undefined;

describe("Following the desired state", () => {
  it("asks, adopts what is new, and rests until the next look", () => {
    const machine = running();

    assert.equal(look(machine).do, "ask");
    machine.heard(2);
    assert.equal(machine.next().do, "adopt");
    machine.read(2);
    machine.adopted(2);

    assert.deepEqual(machine.next(), { do: "rest", ms: 2_000 });
  });

  it("reads nothing when nothing is new", () => {
    const machine = running();
    look(machine);

    machine.heard(1);

    assert.equal(machine.next().do, "rest");
  });

  it("reads the same revision once more when it could not have all of it", () => {
    const machine = running();
    machine.doubt();

    assert.equal(machine.next().do, "rest"); // until somebody hears of the ODB
    look(machine);
    machine.heard(1);
    assert.equal(machine.next().do, "adopt");
    machine.read(1);
    machine.adopted(1);
    look(machine);
    machine.heard(1);

    assert.equal(machine.next().do, "rest");
  });

  it("adopts the lower revision of an ODB that was restored", () => {
    const machine = running();
    look(machine);

    machine.heard(0);

    assert.equal(machine.next().do, "adopt");
    assert.equal(machine.known, 0);
  });

  it("looks once more for what was wanted while it worked", () => {
    const machine = running();
    look(machine);
    machine.look();
    machine.heard(1);

    assert.equal(machine.next().do, "ask");
    machine.heard(1);
    assert.equal(machine.next().do, "rest");
  });

  it("tries again soon while the ODB gives no answer, and never waits longer than a poll", () => {
    const machine = running();
    const waits = Array.from({ length: 6 }, () => {
      look(machine);
      machine.failed("unreachable");
      return restMs(machine.next())!;
    });

    assert.ok(waits[0]! <= 500);
    assert.ok(Math.max(...waits) <= 2_000);
    look(machine);
    machine.heard(1);
    assert.equal(restMs(machine.next()), 2_000);
  });

  it("looks almost at once when the ODB is back", () => {
    const machine = running();

    assert.ok(machine.returned() <= 200);
  });

  it("tries a state again that could not be brought to life, at the next poll", () => {
    const machine = running();
    look(machine);
    machine.heard(2);
    machine.next();
    machine.read(2);

    machine.failed("other");

    assert.deepEqual(machine.next(), { do: "rest", ms: 2_000 });
    look(machine);
    machine.heard(2);
    assert.equal(machine.next().do, "adopt");
  });

  it("gives a state that takes long to read more time at each try", () => {
    const machine = running();
    const patience = Array.from({ length: 3 }, () => {
      look(machine);
      machine.heard(2);
      const step = machine.next();
      machine.failed("unreachable");
      return step.do === "adopt" ? step.patienceMs : undefined;
    });

    assert.deepEqual(patience, [3_000, 6_000, 12_000]);
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ServiceSlots } from "./service-slots.ts";

describe("ServiceSlots", () => {
  it("shows another reader of the memory what runs", () => {
    const slots = new ServiceSlots();
    const reader = new ServiceSlots(slots.memory);
    const a = slots.slotOf("a");
    const b = slots.slotOf("b");

    slots.enter(a);
    slots.enter(a);
    slots.enter(b);
    slots.leave(a);
    slots.leave(b);
    slots.beat();

    assert.deepEqual(reader.read(), { beat: 1, lastEntered: b, running: [a] });
    assert.deepEqual(slots.names, ["", "a", "b"]);
    assert.equal(slots.slotOf("a"), a);
  });

  it("puts what it cannot tell apart into slot 0", () => {
    const slots = new ServiceSlots();

    const numbers = Array.from({ length: 5_000 }, (_, index) => slots.slotOf(`service-${index}`));

    assert.equal(numbers.at(-1), 0);
    assert.equal(new Set(numbers.slice(0, 4_000)).size, 4_000);
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Deque } from "./deque.ts";
import { IndexedMap } from "./indexed-map.ts";
import { type Scored, SortedSet } from "./sorted-set.ts";

/** Numbers that look random and are the same in each run (Park and Miller's generator). */
function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
}

describe("Deque", () => {
  it("does what an array does, through thousands of random changes", () => {
    const random = createRandom(1);
    const deque = new Deque();
    let array: string[] = [];
    for (let i = 0; i < 20_000; i++) {
      const item = `item ${i}`;
      // Grows in some stretches and shrinks in others.
      const action = (i % 4_000 < 2_000 ? 0 : 2) + random(3);
      if (action === 0) (deque.pushLeft(item), array.unshift(item));
      else if (action === 1) (deque.pushRight(item), array.push(item));
      else if (action === 3) assert.equal(deque.popRight(), array.pop());
      else assert.equal(deque.popLeft(), array.shift());
      if (array.length > 0) {
        const at = random(array.length);
        deque.replace(at, item);
        array[at] = item;
      }
      if (i % 500 === 0) {
        assert.deepEqual(deque.slice(), array);
        array = array.slice(0, 100);
        deque.assign(array);
      }
    }
    assert.equal(deque.length, array.length);
  });
});

describe("IndexedMap", () => {
  it("does what a map does, through thousands of random changes", () => {
    const random = createRandom(2);
    const map = new IndexedMap<number>();
    const model = new Map<string, number>();
    for (let i = 0; i < 20_000; i++) {
      const key = `key ${random(500)}`;
      if (random(3) > 0) assert.equal(map.set(key, i), !model.has(key) && !!model.set(key, i));
      else assert.equal(map.delete(key), model.delete(key));
      if (model.has(key)) model.set(key, map.get(key)!);
      assert.equal(map.size, model.size);
    }
    assert.deepEqual(new Map(map.entries()), model);
    assert.deepEqual(map.keys().map((key) => map.get(key)), [...map.entries()].map(([, v]) => v));
  });

  it("keeps the order of a small collection when something is removed", () => {
    const map = new IndexedMap<true>();
    for (const key of ["a", "b", "c", "d"]) map.set(key, true);
    map.delete("b");

    assert.deepEqual(map.keys(), ["a", "c", "d"]);
  });

  it("holds names that objects have of their own like any other", () => {
    const map = new IndexedMap<number>();
    for (const key of ["__proto__", "constructor", "toString"]) {
      assert.equal(map.get(key), undefined);
      assert.ok(map.set(key, 1));
    }
    assert.equal(map.size, 3);
  });

  for (const seed of [3, 4, 5, 6]) {
    it(`scans what stays, whatever comes and goes meanwhile (${seed})`, () => {
      const random = createRandom(seed);
      const map = new IndexedMap<true>();
      const staying = Array.from({ length: 300 }, (_, i) => `stays ${i}`);
      for (const key of staying) {
        map.set(key, true);
        map.set(`goes ${key}`, true);
      }
      const visited = new Set<string>();
      let cursor = 0;
      let rounds = 0;
      do {
        cursor = map.scan(cursor, 10, (key) => visited.add(key));
        for (let i = 0; i < 8; i++) {
          if (random(3) > 0) map.delete(`goes stays ${random(300)}`);
          else map.set(`goes stays ${random(300)}`, true);
        }
        rounds++;
      } while (cursor !== 0);

      assert.deepEqual(staying.filter((key) => !visited.has(key)), []);
      assert.ok(rounds > 20);
    });
  }
});

describe("SortedSet", () => {
  it("keeps ranks and ranges right, through thousands of random changes", () => {
    const random = createRandom(7);
    const set = new SortedSet();
    const model = new Map<string, number>();
    for (let i = 0; i < 12_000; i++) {
      const member = `member ${random(4_000)}`;
      if (random(4) > 0) {
        const score = random(50) - 25;
        set.set(member, score);
        model.set(member, score);
      } else {
        assert.equal(set.delete(member), model.delete(member));
      }
      assert.equal(set.size, model.size);
      if (i % 1_000 === 999) checkAgainst(model, set);
    }
    for (const member of [...model.keys()]) assert.ok(set.delete(member));
    assert.equal(set.size, 0);
    assert.deepEqual(set.slice(0, 10), []);
  });
});

function checkAgainst(model: ReadonlyMap<string, number>, set: SortedSet): void {
  const sorted: Scored[] = [...model].map(([member, score]) => ({ member, score }));
  sorted.sort((a, b) => a.score - b.score || (a.member < b.member ? -1 : 1));
  assert.deepEqual(set.slice(0, set.size), sorted);
  const middle = Math.floor(sorted.length / 2);
  assert.deepEqual(set.slice(middle, middle + 700), sorted.slice(middle, middle + 700));
  for (let rank = 0; rank < sorted.length; rank += 97) {
    assert.equal(set.rank(sorted[rank]!.member), rank);
  }
  const below = sorted.filter(({ score }) => score < 3).length;
  assert.equal(set.countWhile(({ score }) => score < 3), below);
}

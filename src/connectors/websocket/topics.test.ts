import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { compileTopics, isTopic, topicPattern } from "./topics.ts";

describe("Topics", () => {
  it("fit patterns in which * stands for one character or more", () => {
    const allows = compileTopics(["news", "room.*", "user.*.inbox", "a+b"]);

    const good = ["news", "room.1", "room.a.b", "user.7.inbox", "a+b"];
    const bad = ["new", "newsy", "room.", "room", "xroom.1", "user..inbox".slice(0, 6), "aab"];
    for (const topic of good) assert.equal(allows(topic), true, topic);
    for (const topic of bad) assert.equal(allows(topic), false, topic);
    assert.equal(compileTopics([])("news"), false);
  });

  it("are texts without spaces and stars", () => {
    for (const topic of ["a", "ü.ñ", "x".repeat(200)]) assert.equal(isTopic(topic), true);
    for (const topic of ["", "a b", "a*", "a\n", "x".repeat(201), 7, null, undefined, ["a"]]) {
      assert.equal(isTopic(topic), false, JSON.stringify(topic));
    }
  });

  it("have patterns that cost little, whatever is asked", () => {
    assert.equal(topicPattern.safeParse("a.*.*.*").success, true);
    assert.equal(topicPattern.safeParse("*.*.*.*").success, false);
    assert.equal(topicPattern.safeParse("a b").success, false);
    assert.equal(topicPattern.safeParse("").success, false);
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isPlatformError } from "../../src/errors/platform-error.ts";
import { LoginGuard } from "./login-guard.ts";

/** Tries until told to wait, and returns for how many seconds. */
function triesUntilLocked(guard: LoginGuard, username: string, address: string) {
  for (let tries = 0; tries < 100; tries++) {
    try {
      guard.begin(username, address);
    } catch (error) {
      if (!isPlatformError(error, "WEB_ADMIN_LOCKED")) throw error;
      return { tries, seconds: Math.ceil((error.retryAfterMs ?? 0) / 1000) };
    }
  }
  return { tries: Infinity, seconds: 0 };
}

describe("LoginGuard", () => {
  it("allows five tries, then makes each further one wait longer", () => {
    let now = 0;
    const guard = new LoginGuard({ now: () => now });
    const waits: number[] = [];

    assert.deepEqual(triesUntilLocked(guard, "ana", "a"), { tries: 5, seconds: 15 });
    for (let i = 0; i < 8; i++) {
      now += triesUntilLocked(guard, "ana", "a").seconds * 1000;
      waits.push(triesUntilLocked(guard, "ana", "a").seconds);
    }

    assert.deepEqual(waits, [30, 60, 120, 240, 480, 900, 900, 900]);
  });

  it("locks a user neither at another address nor under another name", () => {
    const guard = new LoginGuard({ now: () => 0 });
    triesUntilLocked(guard, "ana", "a");

    guard.begin("ana", "b");
    guard.begin("bob", "a");
  });

  it("does not tell names apart by case", () => {
    const guard = new LoginGuard({ now: () => 0 });
    triesUntilLocked(guard, "ana", "a");

    assert.throws(() => guard.begin("ANA", "a"), { code: "WEB_ADMIN_LOCKED" });
  });

  it("forgets wrong tries once the password was right", () => {
    const guard = new LoginGuard({ now: () => 0 });
    for (let i = 0; i < 4; i++) guard.begin("ana", "a");

    guard.begin("ana", "a");
    guard.succeeded("ana", "a");

    assert.equal(triesUntilLocked(guard, "ana", "a").tries, 5);
  });

  it("slows down an address that tries many names", () => {
    const guard = new LoginGuard({ now: () => 0 });
    for (let i = 0; i < 25; i++) guard.begin(`user${i}`, "a");

    assert.throws(() => guard.begin("ana", "a"), { code: "WEB_ADMIN_LOCKED" });
    guard.begin("ana", "b");
  });

  it("forgets after an hour of peace", () => {
    let now = 0;
    const guard = new LoginGuard({ now: () => now });
    triesUntilLocked(guard, "ana", "a");

    now += 61 * 60_000;

    assert.equal(triesUntilLocked(guard, "ana", "a").tries, 5);
  });

  it("remembers no more than its capacity", () => {
    const guard = new LoginGuard({ now: () => 0, capacity: 4 });
    triesUntilLocked(guard, "ana", "a");

    for (let i = 0; i < 4; i++) guard.begin("bob", `other${i}`);

    guard.begin("ana", "a");
  });
});

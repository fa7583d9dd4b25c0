import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { isPlatformError } from "../errors/platform-error.ts";
import { PasswordChecks } from "./password-checks.ts";
import { hashPassword } from "./passwords.ts";

describe("PasswordChecks", () => {
  let hash = "";
  before(async () => {
    hash = await hashPassword("right");
  });

  it("tells right from wrong", async () => {
    const checks = new PasswordChecks();

    assert.equal(await checks.verify("right", hash, "a"), true);
    assert.equal(await checks.verify("wrong", hash, "a"), false);
  });

  it("refuses a caller who failed too often, until time forgives", async () => {
    let now = 0;
    const checks = new PasswordChecks({ failuresMax: 2, refillMs: 100, now: () => now });
    const tooMany = (error: unknown) => isPlatformError(error, "REQUEST_TOO_MANY_ATTEMPTS");

    await checks.verify("wrong", hash, "a");
    await checks.verify("wrong", hash, "a");
    await assert.rejects(checks.verify("right", hash, "a"), tooMany);
    assert.equal(await checks.verify("right", hash, "b"), true);
    now = 100;
    assert.equal(await checks.verify("right", hash, "a"), true);
  });

  it("forgets failures after a success", async () => {
    const checks = new PasswordChecks({ failuresMax: 2, now: () => 0 });

    for (let round = 0; round < 3; round++) {
      await checks.verify("wrong", hash, "a");
      assert.equal(await checks.verify("right", hash, "a"), true);
    }
  });

  it("refuses checks beyond its queue", async () => {
    const checks = new PasswordChecks({ parallel: 1, waitingMax: 1 });
    const busy = (error: unknown) => isPlatformError(error, "REQUEST_AUTHENTICATION_BUSY");

    const first = checks.verify("right", hash, "a");
    const second = checks.verify("right", hash, "b");
    await assert.rejects(checks.verify("right", hash, "c"), busy);
    assert.deepEqual(await Promise.all([first, second]), [true, true]);
    assert.equal(await checks.verify("right", hash, "c"), true);
  });
});

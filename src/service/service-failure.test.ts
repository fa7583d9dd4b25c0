import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isPlatformError, PlatformError } from "../errors/platform-error.ts";
import { ServiceError } from "./service-error.ts";
import { serviceFailure } from "./service-failure.ts";

describe("An error that a service lets through", () => {
  const asItIs: readonly Error[] = [
    new ServiceError(409, "Taken"),
    new PlatformError("REQUEST_TIMEOUT", { timeoutMs: 1 }),
    new PlatformError("SERVICE_BUSY"),
    new PlatformError("SERVICE_INACTIVE"),
    new PlatformError("THREAD_BUSY"),
    new PlatformError("LOCK_BUSY", { name: "x", waitMs: 1 }),
    new PlatformError("SERVICE_INPUT_INVALID", { service: "other" }),
  ];
  for (const error of asItIs) {
    it(`stays as it is: ${isPlatformError(error) ? error.code : error.name}`, () => {
      assert.equal(serviceFailure(error, "mine"), error);
    });
  }

  // Said of another input, or of names that are not this caller's business.
  const hidden: readonly unknown[] = [
    new Error("secret"),
    "a text",
    undefined,
    new PlatformError("SERVICE_UNKNOWN", { name: "other", hint: "" }),
    new PlatformError("TIME_INVALID", { text: "x", what: "a time" }),
  ];
  for (const error of hidden) {
    it(`is a failure of the service: ${String(error)}`, () => {
      const failure = serviceFailure(error, "mine");
      assert.ok(isPlatformError(failure, "SERVICE_FAILED"));
      assert.equal(failure.cause, error);
    });
  }
});

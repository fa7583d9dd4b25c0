import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { PlatformError } from "../errors/platform-error.ts";
import { ServiceError } from "../service/service-error.ts";
import { toProblem } from "./problem.ts";

describe("toProblem", () => {
  it("tells callers what they can mend", () => {
    const details = { errors: [{ pointer: "/id", detail: "Wrong" }] };
    const error = new PlatformError("REQUEST_INPUT_INVALID", {}, { details });

    assert.deepEqual(toProblem(error, "cid"), {
      problem: {
        title: "Bad Request",
        status: 400,
        detail: "The input does not match what the service takes",
        code: "REQUEST_INPUT_INVALID",
        advice: "Correct the fields listed under errors",
        errors: details.errors,
        cid: "cid",
      },
      headers: {},
      isFault: false,
    });
  });

  it("tells when to try again", () => {
    const error = new PlatformError("REQUEST_AUTHENTICATION_BUSY", {}, { retryAfterMs: 1_200 });

    assert.deepEqual(toProblem(error, "cid").headers, { "Retry-After": "2" });
  });

  for (
    const error of [
      new Error("inner"),
      "inner",
      undefined,
      new PlatformError("SERVICE_FAILED", { service: "inner", reason: "inner" }),
    ]
  ) {
    it(`keeps to itself what ${error instanceof Error ? error.name : typeof error} says`, () => {
      const { problem, isFault } = toProblem(error, "cid");

      assert.ok(isFault);
      assert.equal(problem.status, 500);
      assert.doesNotMatch(JSON.stringify(problem), /inner/);
    });
  }

  it("sends what a service says to its caller", () => {
    const error = new ServiceError(404, "No such customer", { details: { id: 7 } });

    assert.deepEqual(toProblem(error, "cid").problem, {
      title: "Not Found",
      status: 404,
      detail: "No such customer",
      details: { id: 7 },
      cid: "cid",
    });
  });

  it("is not asked for a ServiceError that is no error", () => {
    assert.throws(() => new ServiceError(200, "Fine"), RangeError);
  });
});

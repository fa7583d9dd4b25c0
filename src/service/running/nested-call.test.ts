import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { defineService } from "../define-service.ts";
import { invokeService } from "../run-service.ts";
import { createFakeCall } from "./fake-call.ts";

describe("Services that invoke one another", () => {
  const descend = defineService({
    name: "descend",
    handle: async ({ input, invoke }): Promise<unknown> => {
      const left = Number(input);
      return left <= 1 ? "bottom" : await invoke("descend", left - 1);
    },
  });

  it("reach a hundred levels, and no more", async () => {
    const { call } = createFakeCall({ services: [descend] });

    assert.equal(await invokeService("descend", 100, call), "bottom");
    await assert.rejects(invokeService("descend", 101, call), { code: "SERVICE_NESTING" });
  });

  it("may be as many as they like, one after the other and side by side", async () => {
    const { call } = createFakeCall({ services: [descend] });

    const all = await Promise.all(
      Array.from({ length: 1_000 }, () => invokeService("descend", 2, call)),
    );
    for (let n = 0; n < 1_000; n++) await invokeService("descend", 1, call);

    assert.equal(all.length, 1_000);
  });
});

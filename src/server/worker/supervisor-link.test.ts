import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { RequestMessage } from "./protocol.ts";
import { SupervisorLink } from "./supervisor-link.ts";

describe("A worker's link to its supervisor", () => {
  it("gives each question its own answer", async () => {
    const asked: RequestMessage[] = [];
    const link = new SupervisorLink((message) => asked.push(message));

    const first = link.request("cancel", { id: "a" });
    const second = link.request("cancel", { id: "b" });
    link.settle({ type: "reply", id: asked[1]!.id, reply: false });
    link.settle({ type: "reply", id: asked[0]!.id, reply: true });

    assert.deepEqual(await Promise.all([first, second]), [true, false]);
  });

  it("leaves nobody waiting when the supervisor has gone", async () => {
    const link = new SupervisorLink(() => {});
    const before = link.request("cancel", { id: "a" });

    link.abandon();

    await assert.rejects(before, { code: "SERVER_SUPERVISOR_LOST" });
    await assert.rejects(link.request("cancel", { id: "b" }), { code: "SERVER_SUPERVISOR_LOST" });
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { closeReason } from "./close-codes.ts";
import { webSocketChannel } from "./index.ts";

const spec = { path: "/chat", service: "chat", security: "none" };
const accepts = (more: Record<string, unknown>) =>
  webSocketChannel.schema.safeParse({ ...spec, ...more }).success;

describe("WebSocketChannel", () => {
  it("is complete with a path, a service and security", () => {
    assert.equal(accepts({}), true);
    assert.equal(accepts({ service: undefined, services: ["a", "b"] }), true);
    assert.equal(accepts({ service: undefined, services: { say: "chat.say" } }), true);
  });

  it("refuses specs that contradict themselves", () => {
    const wrong = [
      { services: ["a"] },
      { service: undefined },
      { service: undefined, services: [] },
      { service: undefined, services: {} },
      { security: [] },
      { security: ["none"] },
      { roles: ["member"] },
      { authTimeoutMs: 1_000 },
      { tokenQuery: "token" },
      { authorizeTopic: "may-join" },
      { origins: ["shop.example.com"] },
      { origins: ["https://shop.example.com/"] },
      { subprotocols: ["two words"] },
      { messagesPerSecond: 0 },
      { path: "chat" },
    ];
    for (const more of wrong) assert.equal(accepts(more), false, JSON.stringify(more));
  });

  it("takes its path for itself, to connect to", () => {
    const path = "/rooms/{id}";
    const claims = webSocketChannel.claims?.(webSocketChannel.schema.parse({ ...spec, path }));

    assert.deepEqual(claims?.map(({ what }) => what), ['GET at "/rooms/{id}"']);
  });
});

describe("closeReason", () => {
  it("fits into a close frame, in whole characters", () => {
    assert.equal(closeReason("short"), "short");
    assert.equal(closeReason("x".repeat(200)), "x".repeat(123));
    const cut = closeReason("😀".repeat(100));
    assert.equal(Buffer.byteLength(cut), 120);
    assert.ok(cut.isWellFormed());
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createTestKit, type TestRequest } from "dragoman/testing";
import { enter, leave, say } from "./chat.ts";

const ana: TestRequest = {
  channel: { kind: "WebSocketChannel", name: "chat" },
  params: { room: "lobby" },
  query: { name: "Ana" },
  connection: "c1",
};
const to = { topic: "room.lobby" };

describe("chat", () => {
  it("lets people with a name into their room, and tells the others", async () => {
    const kit = createTestKit();

    const { output } = await kit.run(enter, { connection: "c1" }, ana);

    assert.deepEqual(output, { topics: ["room.lobby"] });
    assert.deepEqual(kit.pushed, [{ channel: "chat", message: { text: "Ana comes in" }, to }]);
  });

  it("wants a name", async () => {
    const kit = createTestKit();

    const { status } = await kit.fails(enter, { connection: "c1" }, { ...ana, query: {} });

    assert.equal(status, 400);
    assert.deepEqual(kit.pushed, []);
  });

  it("passes on what is said, and who has gone", async () => {
    const kit = createTestKit();

    await kit.run(say, { text: " Hello " }, ana);
    await kit.run(leave, undefined, ana);

    assert.deepEqual(kit.pushed.map(({ message }) => message), [
      { from: "Ana", text: "Hello" },
      { text: "Ana leaves" },
    ]);
  });
});

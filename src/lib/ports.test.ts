import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { describe, it } from "node:test";
import { findFreePort, isPortFree } from "./ports.ts";

describe("Ports", () => {
  it("are taken while something listens, and free again after it", async () => {
    const port = await findFreePort();
    const server = createServer().listen(port, "127.0.0.1");
    await once(server, "listening");

    const during = await isPortFree(port);
    server.close();
    await once(server, "close");

    assert.deepEqual([during, await isPortFree(port)], [false, true]);
  });

  it("on an address that this machine does not have are not free", async () => {
    assert.equal(await isPortFree(await findFreePort(), "192.0.2.1"), false);
    await assert.rejects(findFreePort("192.0.2.1"));
  });
});

import assert from "node:assert/strict";
import { createServer } from "node:net";
import { networkInterfaces } from "node:os";
import { describe, it } from "node:test";
import { isWildcard, localAddressTowards } from "./local-address.ts";
import { findFreePort } from "./ports.ts";

describe("localAddressTowards", () => {
  it("is the address that the peer sees", async () => {
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    const address = server.address();
    assert.ok(address !== null && typeof address === "object");

    const found = await localAddressTowards({ host: "127.0.0.1", port: address.port });

    server.close();
    assert.equal(found, "127.0.0.1");
  });

  it("is an address of this machine when the peer does not answer", async () => {
    const own = Object.values(networkInterfaces()).flatMap((entries) => entries ?? [])
      .map(({ address }) => address);

    const found = await localAddressTowards({ host: "127.0.0.1", port: await findFreePort() });

    assert.ok([...own, "127.0.0.1"].includes(found), found);
  });
});

describe("isWildcard", () => {
  it("knows both families", () => {
    assert.deepEqual(["0.0.0.0", "::", "127.0.0.1", "::1"].map(isWildcard), [
      true,
      true,
      false,
      false,
    ]);
  });
});

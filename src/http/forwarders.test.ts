import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Forwarders, hopHeader, renderHop, withoutHop } from "./forwarders.ts";

const key = "k".repeat(43);
const headers = (shown?: string) => new Headers(shown === undefined ? {} : { [hopHeader]: shown });

describe("Forwarders", () => {
  it("believes nobody by default, not even this machine", () => {
    const nobody = new Forwarders([]);
    for (const shown of [undefined, "", renderHop(key), "v1-", "v1-undefined"]) {
      assert.equal(nobody.believes(headers(shown), "127.0.0.1"), false, `${shown}`);
    }
  });

  it("believes whoever shows one of its keys, from wherever", () => {
    const forwarders = new Forwarders([]);
    forwarders.useKeys([key, "n".repeat(43)]);
    assert.equal(forwarders.believes(headers(renderHop(key)), "203.0.113.1"), true);
    assert.equal(forwarders.believes(headers(renderHop("n".repeat(43))), "203.0.113.1"), true);
    for (const wrong of [key, renderHop(key.slice(1)), `${renderHop(key)}, x`, "v1-"]) {
      assert.equal(forwarders.believes(headers(wrong), "127.0.0.1"), false, wrong);
    }
    forwarders.useKeys(["n".repeat(43)]);
    assert.equal(forwarders.believes(headers(renderHop(key)), "127.0.0.1"), false);
  });

  it("believes proxies by address, and does not believe them less for what a client shows", () => {
    const forwarders = new Forwarders(["10.0.0.9"]);
    forwarders.useKeys([key]);
    assert.equal(forwarders.believes(headers(), "10.0.0.9"), true);
    assert.equal(forwarders.believes(headers("v1-forged"), "10.0.0.9"), true);
    assert.equal(forwarders.believes(headers("v1-forged"), "10.0.0.8"), false);
  });
});

describe("withoutHop", () => {
  it("hides the proof and copies only where there is one", () => {
    const plain = new Headers({ "X-A": "1" });
    assert.equal(withoutHop(plain), plain);
    const shown = withoutHop(new Headers({ "X-A": "1", [hopHeader]: renderHop(key) }));
    assert.deepEqual([...shown], [["x-a", "1"]]);
  });
});

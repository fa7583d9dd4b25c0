import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { preferredServer } from "./lease-placement.ts";

const servers = Array.from({ length: 5 }, (_, index) => `server-${index + 1}`);
const leases = Array.from({ length: 1_000 }, (_, index) => `channel:orders-${index}`);

describe("The preferred server of a lease", () => {
  it("does not depend on the order in which servers are known", () => {
    for (const lease of leases) {
      assert.equal(preferredServer(lease, servers), preferredServer(lease, servers.toReversed()));
    }
  });

  it("is another for others, so that each server has about its share", () => {
    const shares = Map.groupBy(leases, (lease) => preferredServer(lease, servers));

    assert.equal(shares.size, servers.length);
    for (const [server, { length }] of shares) {
      assert.ok(length > 150 && length < 250, `${server} has ${length} of 1,000`);
    }
  });

  it("stays the same for all leases but those of a server that goes", () => {
    const rest = servers.slice(1);

    const moved = leases.filter((lease) =>
      preferredServer(lease, servers) !== preferredServer(lease, rest)
    );

    assert.ok(moved.every((lease) => preferredServer(lease, servers) === servers[0]));
  });

  it("is nobody when there is no server", () => {
    assert.equal(preferredServer("scheduler", []), undefined);
  });
});

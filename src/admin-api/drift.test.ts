import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ServerInventory, WorkerAnswer } from "./api.ts";
import { driftOfServer, newestVersion, type Wanted } from "./drift.ts";

const orders = { kind: "RestChannel", name: "orders", revision: 5, hash: "aaaaaaaaaa" };
const bundle = { file: "orders.ts", hash: "1111111111" };
const wanted: Wanted = {
  revision: 9,
  objects: [orders],
  bundles: [bundle],
  keyId: "0a0a0a0a",
  version: "0.10.0",
};
const certificate = { use: "admin", fingerprint: "ffffffffff", expiresAt: "2027-01-01" };
const row = {
  name: "server2",
  state: "up",
  lastSeenAt: "2026-03-01",
  version: "0.10.0",
} as const;

type Said = Exclude<WorkerAnswer, { readonly reason: string }>;

function worker(change: Partial<Said> = {}): Said {
  const base = { id: 1, pid: 4, revision: 9, keyId: wanted.keyId, bundles: [bundle] };
  return { ...base, failures: [], ...change };
}

function inventoryOf(change: Partial<ServerInventory>): ServerInventory {
  return {
    server: "server2",
    incarnation: "x",
    state: "up",
    clusterRevision: 9,
    odb: { state: "up", engine: "sqlite", address: "odb.db", since: "2026-03-01" },
    keyId: wanted.keyId,
    certificates: [{ ...certificate, onDisk: certificate.fingerprint }],
    workers: [worker()],
    ...change,
  };
}

function texts(change: Partial<ServerInventory>): readonly string[] {
  return driftOfServer(wanted, { row, inventory: inventoryOf(change) }).map((one) =>
    `${one.kind}/${one.name} ${one.worker ?? "-"}: ${one.text}`
  );
}

describe("driftOfServer", () => {
  it("finds nothing where all is the same", () => {
    assert.deepEqual(texts({}), []);
    assert.deepEqual(texts({ workers: [worker({ objects: [orders] })] }), []);
  });

  const cases: readonly (readonly [string, Partial<ServerInventory>, string])[] = [
    [
      "an older revision",
      { workers: [worker({ objects: [{ ...orders, revision: 4, hash: "bbbbbbbbbb" }] })] },
      "RestChannel/orders 1: runs revision 4, ODB has revision 5",
    ],
    [
      "another content of the same revision",
      { workers: [worker({ objects: [{ ...orders, hash: "bbbbbbbbbb" }] })] },
      "RestChannel/orders 1: runs revision 5 with the content bbbbbbbb, " +
      "ODB has revision 5 with the content aaaaaaaa",
    ],
    [
      "an object that could not be brought to life",
      {
        workers: [worker({
          objects: [],
          failures: [{ kind: "RestChannel", name: "orders", error: "no service" }],
        })],
      },
      "RestChannel/orders 1: runs nothing, ODB has revision 5: no service",
    ],
    [
      "an object that the ODB does not have",
      { workers: [worker({ objects: [orders, { ...orders, name: "old" }] })] },
      "RestChannel/old 1: runs revision 5, ODB has nothing",
    ],
    [
      "other code",
      { workers: [worker({ bundles: [{ ...bundle, hash: "2222222222" }] })] },
      "Deployment/orders.ts 1: runs 22222222, ODB has 11111111",
    ],
    [
      "another cluster key",
      { workers: [worker({ keyId: "0b0b0b0b" })] },
      "Secrets/cluster key 1: has the key 0b0b0b0b, the cluster has 0a0a0a0a",
    ],
    [
      "a worker that does not answer",
      { workers: [{ id: 1, pid: 0, reason: "does not serve now" }] },
      "Server/server2 1: does not serve now",
    ],
    [
      "a certificate that is not the one on disk",
      { certificates: [{ ...certificate, onDisk: null }] },
      "Certificate/admin -: shows ffffffff, valid until 2027-01-01, its disk has nothing usable",
    ],
    ["a server that is not up", { state: "draining" }, "Server/server2 -: is draining"],
  ];
  for (const [what, change, text] of cases) {
    it(`names ${what}`, () => assert.deepEqual(texts(change), [text]));
  }

  it("names a server of another version than the newest one", () => {
    const versions = ["0.9.0", "0.10.0", "0.9.1"];

    const drifts = driftOfServer(
      { ...wanted, version: newestVersion(versions) },
      { row: { ...row, version: "0.9.1" }, inventory: inventoryOf({}) },
    );

    assert.deepEqual(drifts, [{
      server: "server2",
      kind: "Server",
      name: "server2",
      text: "runs Dragoman 0.9.1, the newest server 0.10.0",
    }]);
  });

  it("tells a lost server from one that only cannot be asked", () => {
    const inventory = { reason: "connection refused" };
    const text = (state: "up" | "lost") =>
      driftOfServer(wanted, { row: { ...row, state }, inventory })[0]?.text;

    assert.equal(text("up"), "does not answer: connection refused");
    assert.equal(text("lost"), "is lost, not heard of since 2026-03-01: connection refused");
  });
});

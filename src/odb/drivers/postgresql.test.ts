import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { RemoteTarget } from "../url.ts";
import { createPostgresqlBackend } from "./postgresql.ts";

const target: RemoteTarget = {
  dialect: "postgresql",
  address: "db:5432/odb",
  host: "db",
  port: 5432,
  user: "dragoman",
  database: "odb",
};

describe("PostgreSQL's errors", () => {
  it("says that the ODB cannot be had when it ended a session", () => {
    const { failureOf } = createPostgresqlBackend(target, { lockTimeoutMs: 1_000 });
    const ended = {
      "25P03": "terminating connection due to idle-in-transaction timeout",
      "57P01": "terminating connection due to administrator command",
    };

    const types = Object.entries(ended).map(([code, message]) =>
      failureOf(Object.assign(new Error(message), { code })).type
    );

    assert.deepEqual(types, ["unreachable", "unreachable"]);
  });
});

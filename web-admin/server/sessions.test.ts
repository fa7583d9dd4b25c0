import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { DatabaseSync } from "node:sqlite";
import { openDatabase } from "./database.ts";
import { SessionStore } from "./sessions.ts";

const minute = 60_000;

describe("SessionStore", () => {
  let directory: string;
  let database: DatabaseSync;
  let now = 0;
  let sessions: SessionStore;

  before(() => {
    directory = mkdtempSync(join(tmpdir(), "sessions-"));
    database = openDatabase(directory);
    database.prepare("INSERT INTO users VALUES ('ana', 'hash', 0, 0)").run();
    sessions = new SessionStore(database, {
      idleMs: 10 * minute,
      absoluteMs: 60 * minute,
      now: () => now,
    });
  });

  after(() => {
    database.close();
    rmSync(directory, { recursive: true });
  });

  it("finds a session by its token, of which it stores only a hash", () => {
    const { token, session } = sessions.begin("ana");

    assert.deepEqual(sessions.find(token), session);
    const rows = JSON.stringify(database.prepare("SELECT * FROM sessions").all());
    assert.equal(rows.includes(token), false);
    assert.equal(rows.includes(session.csrfToken), false);
  });

  it("finds nothing by a hash or by nothing", () => {
    const { session } = sessions.begin("ana");

    assert.equal(sessions.find(session.id), undefined);
    assert.equal(sessions.find(""), undefined);
  });

  it("ends a session that makes no request for too long", () => {
    const { token } = sessions.begin("ana");

    now += 9 * minute;
    assert.notEqual(sessions.find(token), undefined);
    now += 9 * minute;
    assert.notEqual(sessions.find(token), undefined);
    now += 11 * minute;
    assert.equal(sessions.find(token), undefined);
  });

  it("does not take watching for a sign of life", () => {
    const { session } = sessions.begin("ana");

    now += 6 * minute;
    assert.equal(sessions.isLive(session.id), true);
    now += 6 * minute;
    assert.equal(sessions.isLive(session.id), false);
  });

  it("ends a session after its longest life however busy it is", () => {
    const { token } = sessions.begin("ana");
    for (let i = 0; i < 12; i++) {
      now += 5 * minute;
      assert.notEqual(sessions.find(token), undefined);
    }

    now += minute;

    assert.equal(sessions.find(token), undefined);
  });

  it("knows a session after a restart, and no session that was ended", () => {
    const { token, session } = sessions.begin("ana");
    const limits = { idleMs: minute, absoluteMs: minute, now: () => now };

    assert.deepEqual(new SessionStore(database, limits).find(token), session);
    sessions.end(session.id);
    assert.equal(new SessionStore(database, limits).find(token), undefined);
  });
});

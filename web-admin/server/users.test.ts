import assert from "node:assert/strict";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { createWebAdmin } from "./create.ts";
import { openDatabase } from "./database.ts";
import { SessionStore } from "./sessions.ts";
import { changePassword, createUser, findUser, listUsers } from "./users.ts";
import { verifyPassword } from "../../src/security/passwords.ts";

const clusters = [{
  name: "demo",
  environment: "development",
  adminUrls: ["https://127.0.0.1:17110"],
}] as const;

describe("users of the web admin", () => {
  let root: string;
  let directory: string;

  before(async () => {
    root = await mkdtemp(join(tmpdir(), "web-admin-"));
    directory = join(root, "web-admin");
    await createWebAdmin(directory, { name: "web-admin", http: { port: 8183 }, clusters });
  });

  after(() => rm(root, { recursive: true, force: true }));

  it("are listed after they were created", async () => {
    await createUser(directory, { username: "ana", password: "correct horse" });

    assert.deepEqual((await listUsers(directory)).map(({ name }) => name), ["ana"]);
  });

  it("are kept in a file that only its owner can read, with passwords hashed", async () => {
    const database = openDatabase(directory);
    const hash = findUser(database, "ANA")?.passwordHash ?? "";
    database.close();

    assert.equal(await verifyPassword("correct horse", hash), true);
    for (const suffix of ["", "-wal", "-shm"]) {
      const file = join(directory, "state", `web-admin.db${suffix}`);
      const found = await stat(file).catch(() => undefined);
      if (found !== undefined) assert.equal(found.mode & 0o077, 0, file);
    }
  });

  it("cannot be created twice, whatever the case of the name", async () => {
    await assert.rejects(createUser(directory, { username: "Ana", password: "correct horse" }), {
      code: "WEB_ADMIN_USER_EXISTS",
    });
  });

  const unfit = [
    { username: "bob", password: "too short", reason: /too short: 9 characters, at least 10/ },
    { username: "long-username", password: "LONG-username", reason: /is the username/ },
    { username: "bob", password: "x".repeat(1025), reason: /too long: 1025 characters/ },
  ];
  for (const { reason, ...credentials } of unfit) {
    it(`refuses a password that ${reason.source}`, async () => {
      await assert.rejects(createUser(directory, credentials), {
        code: "WEB_ADMIN_PASSWORD_UNFIT",
        message: reason,
      });
    });
  }

  it("need names without blanks", async () => {
    await assert.rejects(createUser(directory, { username: "a b", password: "correct horse" }), {
      code: "WEB_ADMIN_USERNAME_INVALID",
    });
  });

  it("lose their sessions when their password is changed", async () => {
    const database = openDatabase(directory);
    const sessions = new SessionStore(database, { idleMs: 60_000, absoluteMs: 60_000 });
    const { session } = sessions.begin("ana");

    await changePassword(directory, { username: "ana", password: "another horse" });

    assert.equal(sessions.isLive(session.id), false);
    database.close();
  });

  it("are named when another one is asked for", async () => {
    const change = changePassword(directory, { username: "eve", password: "correct horse" });

    await assert.rejects(change, { code: "WEB_ADMIN_NO_USER", advice: /ana/ });
  });

  it("belong to a web admin and nothing else", async () => {
    await assert.rejects(listUsers(root), { code: "CONFIG_NOT_A_COMPONENT" });
  });

  it("live in a directory that is not made over another one", async () => {
    const again = createWebAdmin(directory, { name: "other", http: { port: 1 }, clusters });

    await assert.rejects(again, { code: "WEB_ADMIN_DIRECTORY_NOT_EMPTY" });
  });
});

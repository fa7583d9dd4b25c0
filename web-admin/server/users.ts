import type { DatabaseSync } from "node:sqlite";
import { loadMarker } from "../../src/config/component.ts";
import { PlatformError } from "../../src/errors/platform-error.ts";
import { hashPassword } from "../../src/security/passwords.ts";
import { openDatabase } from "./database.ts";

/** Passwords are this long, in characters. The upper limit bounds the work of hashing one. */
export const passwordLength = { least: 10, most: 1024 } as const;

const usernamePattern = /^[a-z0-9][a-z0-9._@-]{0,63}$/i;

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** A person who may log in; times are ISO 8601. */
export interface User {
  readonly name: string;
  readonly createdAt: string;
  readonly passwordChangedAt: string;
}

/**
 * Adds a user to the console of `directory`, running or not. Names differ in more than case.
 * Throws WEB_ADMIN_USERNAME_INVALID, WEB_ADMIN_PASSWORD_UNFIT, WEB_ADMIN_USER_EXISTS.
 */
export async function createUser(directory: string, credentials: Credentials): Promise<void> {
  const { username } = credentials;
  if (!usernamePattern.test(username)) {
    throw new PlatformError("WEB_ADMIN_USERNAME_INVALID", { username });
  }
  checkPassword(credentials);
  await withUsers(directory, async (database) => {
    if (findUser(database, username) !== undefined) throw userExists(username);
    const hash = await hashPassword(credentials.password);
    const now = Date.now();
    const added = database
      .prepare("INSERT INTO users VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING")
      .run(username, hash, now, now);
    if (added.changes === 0) throw userExists(username);
  });
}

/**
 * Gives a user another password and ends all sessions of that user.
 * Throws WEB_ADMIN_NO_USER, WEB_ADMIN_PASSWORD_UNFIT.
 */
export async function changePassword(directory: string, credentials: Credentials): Promise<void> {
  const { username } = credentials;
  checkPassword(credentials);
  await withUsers(directory, async (database) => {
    const hash = await hashPassword(credentials.password);
    const changed = database
      .prepare("UPDATE users SET password_hash = ?, password_changed_at = ? WHERE name = ?")
      .run(hash, Date.now(), username);
    if (changed.changes === 0) {
      const users = readUsers(database).map((user) => user.name).join(", ");
      throw new PlatformError("WEB_ADMIN_NO_USER", { username, users: users || "it has none" });
    }
    database.prepare("DELETE FROM sessions WHERE username = ?").run(username);
  });
}

/** All users of the console of `directory`, by name. */
export function listUsers(directory: string): Promise<readonly User[]> {
  return withUsers(directory, readUsers);
}

/** A user as the database holds it; names are found without regard to case. */
export function findUser(
  database: DatabaseSync,
  username: string,
): { readonly name: string; readonly passwordHash: string } | undefined {
  const row = database.prepare("SELECT name, password_hash FROM users WHERE name = ?")
    .get(username);
  if (row === undefined) return undefined;
  return { name: String(row["name"]), passwordHash: String(row["password_hash"]) };
}

/** False on a console that nobody can enter yet. */
export function hasUsers(database: DatabaseSync): boolean {
  return database.prepare("SELECT 1 FROM users LIMIT 1").get() !== undefined;
}

function readUsers(database: DatabaseSync): readonly User[] {
  const iso = (value: unknown) => new Date(Number(value)).toISOString();
  return database.prepare("SELECT * FROM users ORDER BY name").all().map((row) => ({
    name: String(row["name"]),
    createdAt: iso(row["created_at"]),
    passwordChangedAt: iso(row["password_changed_at"]),
  }));
}

async function withUsers<T>(
  directory: string,
  use: (database: DatabaseSync) => T | Promise<T>,
): Promise<T> {
  await loadMarker(directory, "web-admin");
  const database = openDatabase(directory);
  try {
    return await use(database);
  } finally {
    database.close();
  }
}

function checkPassword({ username, password }: Credentials): void {
  const { least, most } = passwordLength;
  const length = [...password].length;
  let reason: string | undefined;
  if (length < least) reason = `too short: ${length} characters, at least ${least} are needed`;
  else if (length > most) reason = `too long: ${length} characters, at most ${most} are allowed`;
  else if (password.toLowerCase() === username.toLowerCase()) reason = "the username";
  if (reason !== undefined) {
    throw new PlatformError("WEB_ADMIN_PASSWORD_UNFIT", { reason, least, most });
  }
}

function userExists(username: string): PlatformError {
  return new PlatformError("WEB_ADMIN_USER_EXISTS", { username });
}

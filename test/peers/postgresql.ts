import { chownSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Client } from "pg";
import { findFreePort } from "../../src/lib/ports.ts";
import { generatePassword } from "../../src/lib/random-secret.ts";
import {
  Daemon,
  type DaemonUser,
  daemonUser,
  type DatabasePeer,
  databasePeer,
  makeDataDirectory,
  requireProgram,
  runProgram,
} from "./database-process.ts";

const debianDirectory = "/usr/lib/postgresql";

/**
 * Starts a PostgreSQL server with password authentication (SCRAM) and without fsync: what was
 * committed outlives its processes, but not the machine.
 */
export async function startPostgresql(): Promise<DatabasePeer> {
  const user = daemonUser("postgres");
  const directory = makeDataDirectory("dragoman-postgresql-", user);
  const password = generatePassword();
  await initialize(directory, password, user);
  const port = await findFreePort();
  const settings = {
    fsync: "off",
    full_page_writes: "off",
    listen_addresses: "127.0.0.1",
    unix_socket_directories: directory,
    max_connections: "150",
    log_timezone: "UTC",
  };
  const daemon = new Daemon({
    program: findPostgresqlProgram("postgres"),
    args: [
      ...["-D", join(directory, "data"), "-p", String(port)],
      ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
    ],
    user,
    readyText: "database system is ready to accept connections",
  });
  await daemon.start();
  const connection = { host: "127.0.0.1", port, user: "dragoman", password };
  const createDatabase = async (name: string) => {
    const client = new Client({ ...connection, database: "postgres" });
    await client.connect();
    await client.query(`create database "${name}"`);
    await client.end();
    return `postgresql://dragoman@127.0.0.1:${port}/${name}`;
  };
  return await databasePeer(daemon, { password, directory, createDatabase });
}

async function initialize(directory: string, password: string, user: DaemonUser): Promise<void> {
  const passwordFile = join(directory, "password");
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (user.uid !== undefined && user.gid !== undefined) {
    chownSync(passwordFile, user.uid, user.gid);
  }
  await runProgram(findPostgresqlProgram("initdb"), [
    ...["-D", join(directory, "data"), "-U", "dragoman", "--pwfile", passwordFile],
    ...["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"],
  ], user);
  rmSync(passwordFile);
}

/** Debian keeps the server's programs off the PATH, in a directory for each version. */
function findPostgresqlProgram(name: string): string {
  const versions = listVersions().sort((a, b) => Number(b) - Number(a));
  const paths = versions.map((version) => join(debianDirectory, version, "bin", name));
  return requireProgram("postgresql", ...paths, name);
}

function listVersions(): string[] {
  try {
    return readdirSync(debianDirectory);
  } catch {
    return []; // not Debian's package, or none
  }
}

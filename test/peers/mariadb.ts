import { chownSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createConnection } from "mysql2/promise";
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

/**
 * Starts a MariaDB server with password authentication and without fsync: what was committed
 * outlives its processes, but not the machine.
 */
export async function startMariadb(): Promise<DatabasePeer> {
  const user = daemonUser("mysql");
  const directory = makeDataDirectory("dragoman-mariadb-", user);
  const data = join(directory, "data");
  const password = generatePassword();
  await runProgram(
    requireProgram("mariadb-server", "mariadb-install-db"),
    [
      "--no-defaults",
      `--datadir=${data}`,
      "--auth-root-authentication-method=normal",
      "--skip-test-db",
    ],
    user,
  );
  const port = await findFreePort();
  const daemon = new Daemon({
    program: requireProgram("mariadb-server", "mariadbd"),
    args: [
      "--no-defaults",
      `--datadir=${data}`,
      `--port=${port}`,
      "--bind-address=127.0.0.1",
      `--socket=${join(directory, "socket")}`,
      `--pid-file=${join(directory, "pid")}`,
      `--init-file=${writeInitFile(directory, password, user)}`,
      "--skip-name-resolve",
      "--skip-log-bin",
      "--innodb-flush-log-at-trx-commit=2",
      "--innodb-doublewrite=0",
      "--innodb-buffer-pool-size=64M",
    ],
    user,
    readyText: "ready for connections",
  });
  await daemon.start();
  const createDatabase = async (name: string) => {
    const connection = await createConnection({
      host: "127.0.0.1",
      port,
      user: "dragoman",
      password,
    });
    await connection.query(`create database if not exists \`${name}\``);
    await connection.end();
    return `mysql://dragoman@127.0.0.1:${port}/${name}`;
  };
  return await databasePeer(daemon, { password, directory, createDatabase });
}

/** What the server runs at every start: makes the user. */
function writeInitFile(directory: string, password: string, { uid, gid }: DaemonUser): string {
  const path = join(directory, "init.sql");
  const statements = [
    `create user if not exists 'dragoman'@'127.0.0.1' identified by '${password}';`,
    "grant all on *.* to 'dragoman'@'127.0.0.1';",
  ];
  writeFileSync(path, statements.join("\n") + "\n", { mode: 0o600 });
  if (uid !== undefined && gid !== undefined) chownSync(path, uid, gid);
  return path;
}

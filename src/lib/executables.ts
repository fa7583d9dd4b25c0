import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Directories where system packages put daemons, which an ordinary user's PATH often lacks. */
const systemDirectories = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/** The full path of the first of `names` found on PATH or in the usual sbin directories. */
export function findExecutable(...names: readonly string[]): string | undefined {
  return findOnPath(names, process.env["PATH"] ?? "");
}

/** As `findExecutable`, with the value of PATH given. */
export function findOnPath(names: readonly string[], path: string): string | undefined {
  const directories = path.split(delimiter).concat(systemDirectories);
  for (const name of names) {
    for (const directory of directories) {
      if (directory !== "" && isExecutable(join(directory, name))) return join(directory, name);
    }
  }
  return undefined;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile(); // directories can be "executed", too
  } catch {
    return false;
  }
}

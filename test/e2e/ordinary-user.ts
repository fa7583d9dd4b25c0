import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { CommandResult } from "./quickstart.ts";

const checkout = resolve(import.meta.dirname!, "../..");

// The checkout may lie where only root can look, so the user gets to see it under another path: a
// bind mount in a mount namespace of its own, which goes with the last process in it.
const asNobody = `
mount --make-rprivate / && mount --bind "$1" "$2" || exit 1
shift; home=$1; shift
exec setpriv --reuid 65534 --regid 65534 --clear-groups env -i PATH="$PATH" HOME="$home.home" \
  TMPDIR="\${TMPDIR:-/tmp}" DRAGOMAN_ODB_PASSWORD="\${DRAGOMAN_ODB_PASSWORD:-}" "$home/dragoman" "$@"
`;

/** A way to run the command line as a user who owns nothing; as ourselves when we are not root. */
export interface OrdinaryUser {
  /** A directory that this user may write to. */
  readonly directory: string;
  run(...args: string[]): Promise<CommandResult>;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function becomeOrdinaryUser(): Promise<OrdinaryUser> {
  const base = await mkdtemp(join(tmpdir(), "dragoman-user-"));
  const [mount, directory] = [join(base, "checkout"), join(base, "checkout.home")];
  await execute("sh", [
    "-c",
    'mkdir "$1" "$2" && chmod 755 "$3" "$1"',
    "sh",
    mount,
    directory,
    base,
  ]);
  const isRoot = process.getuid?.() === 0;
  if (isRoot) await execute("chown", ["65534:65534", directory]);
  return {
    directory,
    run: (...args) =>
      isRoot
        ? execute("unshare", ["-m", "sh", "-c", asNobody, "sh", checkout, mount, ...args])
        : execute(join(checkout, "dragoman"), args),
    [Symbol.asyncDispose]: () => rm(base, { recursive: true, force: true }),
  };
}

function execute(program: string, args: readonly string[]): Promise<CommandResult> {
  return new Promise((done) => {
    execFile(program, [...args], { maxBuffer: 16 * 1024 * 1024 }, (error, stdout, stderr) => {
      const exitCode = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
      done({ exitCode, stdout, stderr });
    });
  });
}

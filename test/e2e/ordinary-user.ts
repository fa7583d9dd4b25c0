import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { CommandResult } from "./quickstart.ts";

const checkout = resolve(import.meta.dirname!, "../..");

const credentials = ["--reuid", "65534", "--regid", "65534", "--clear-groups"];

// $1: the command line's launcher, $2: the user's home, then the words of the command.
const asNobody = `
launcher=$1; home=$2; shift 2; cd "$home"
exec setpriv ${credentials.join(" ")} env -i PATH="$PATH" HOME="$home" "$launcher" "$@"
`;

// Where only root may look, the user gets to see the checkout under another path ($1 at $2): a bind
// mount in a mount namespace of its own, which goes with the last process in it.
const inNamespace = `
mount --make-rprivate / && mount --bind "$1" "$2" || exit 1
shift 2
${asNobody}`;

/** A way to run the command line as a user who owns nothing; as ourselves when we are not root. */
export interface OrdinaryUser {
  /** A directory that this user may write to. */
  readonly directory: string;
  run(...args: string[]): Promise<CommandResult>;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function becomeOrdinaryUser(): Promise<OrdinaryUser> {
  const base = await mkdtemp(join(tmpdir(), "dragoman-user-"));
  const [mount, directory] = [join(base, "checkout"), join(base, "home")];
  await execute("sh", [
    "-c",
    'mkdir "$1" "$2" && chmod 755 "$3" "$1"',
    "sh",
    mount,
    directory,
    base,
  ]);
  const run = await runner({ mount, directory });
  return {
    directory,
    run: (...args) => run(args),
    [Symbol.asyncDispose]: () => rm(base, { recursive: true, force: true }),
  };
}

type Run = (args: readonly string[]) => Promise<CommandResult>;

async function runner(
  { mount, directory }: { readonly mount: string; readonly directory: string },
): Promise<Run> {
  const launcher = join(checkout, "dragoman");
  if (process.getuid?.() !== 0) return (args) => execute(launcher, args);
  await execute("chown", ["65534:65534", directory]);
  const look = await execute("setpriv", [...credentials, "test", "-r", launcher]);
  if (look.exitCode === 0) {
    return (args) => execute("sh", ["-c", asNobody, "sh", launcher, directory, ...args]);
  }
  const words = ["-m", "sh", "-c", inNamespace, "sh", checkout, mount];
  return (args) => execute("unshare", [...words, join(mount, "dragoman"), directory, ...args]);
}

function execute(program: string, args: readonly string[]): Promise<CommandResult> {
  return new Promise((done) => {
    execFile(program, [...args], { maxBuffer: 16 * 1024 * 1024 }, (error, stdout, stderr) => {
      const exitCode = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
      done({ exitCode, stdout, stderr });
    });
  });
}

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  access,
  chmod,
  cp,
  mkdir,
  mkdtemp,
  readFile,
  realpath,
  rm,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { findExecutable } from "../../../src/lib/executables.ts";
import { runProcess } from "./cli-process.ts";

const repository = join(import.meta.dirname!, "../../..");

// A checkout in which npm and the runtime are little scripts that say what they were asked.
const fakeRuntime = `#!/bin/sh
for word; do echo "word: $word"; done
echo "cache: $DENO_DIR"
echo "update check: $DENO_NO_UPDATE_CHECK"
`;
const fakeNpm = `#!/bin/sh
echo "npm $*" >> "$NPM_LOG"
case $1 in
  ci)
    [ -z "\${NPM_FAILS:-}" ] || { echo "no network" >&2; exit 1; }
    rm -rf node_modules; mkdir -p node_modules/@deno/linux-x64-glibc
    cp runtime.sh node_modules/@deno/linux-x64-glibc/deno
    chmod +x node_modules/@deno/linux-x64-glibc/deno
    echo "added packages" ;;
  run) mkdir -p web-admin/dist; echo page > web-admin/dist/index.html ;;
esac
`;

describe("The launcher", { timeout: 60_000 }, () => {
  let parent = "";
  let checkout = "";
  let log = "";
  const environment = (more: Record<string, string> = {}) => ({
    PATH: `${join(parent, "bin")}:/usr/bin:/bin`,
    NPM_LOG: log,
    DENO_DIR: "",
    XDG_CACHE_HOME: join(parent, "cache"),
    ...more,
  });
  const launch = (words: readonly string[], more: Record<string, string> = {}) =>
    runProcess(join(checkout, "dragoman"), words, { cwd: "/", env: environment(more) });
  const npmCalls = async () => (await readFile(log, "utf8").catch(() => "")).trim().split("\n");

  before(async () => {
    parent = await realpath(await mkdtemp(join(tmpdir(), "dragoman launcher ")));
    checkout = join(parent, "a checkout");
    log = join(parent, "npm.log");
    await mkdir(join(parent, "bin"));
    await writeFile(join(parent, "bin", "npm"), fakeNpm);
    await chmod(join(parent, "bin", "npm"), 0o755);
    await mkdir(join(checkout, "scripts"), { recursive: true });
    await cp(join(repository, "dragoman"), join(checkout, "dragoman"));
    await cp(join(repository, "scripts/setup.sh"), join(checkout, "scripts/setup.sh"));
    await writeFile(join(checkout, "package-lock.json"), "{}");
    await writeFile(join(checkout, "runtime.sh"), fakeRuntime);
    await mkdir(join(checkout, "web-admin/src"), { recursive: true });
    await writeFile(join(checkout, "web-admin/src/main.tsx"), "");
  });
  after(() => rm(parent, { recursive: true, force: true }));

  it("says what is missing without npm", async () => {
    const tools = ["sh", "dirname", "readlink", "cat", "cmp", "mkdir", "rm", "id", "find", "head"];
    const bare = join(parent, "bare");
    await mkdir(bare);
    for (const tool of tools) {
      const path = findExecutable(tool);
      if (path !== undefined) await symlink(path, join(bare, tool));
    }

    const { code, stderr } = await launch(["version"], { PATH: bare });

    assert.equal(code, 1);
    assert.match(stderr, /^Error: .*not installed\nWhy: .*npm.*\nFix: .*Node\.js/);
  });

  it("says so when npm fails, and tries again the next time", async () => {
    const { code, stderr } = await launch(["version"], { NPM_FAILS: "1" });

    assert.equal(code, 1);
    assert.match(stderr, /no network[\s\S]*Error: .*could not be installed/);
    await assert.rejects(access(join(checkout, ".cache/setup.lock")));
  });

  it("installs and builds on first use, once though two uses begin together", async () => {
    await rm(log, { force: true });

    const runs = await Promise.all([launch(["version", "a b"]), launch(["version", "a b"])]);

    for (const { code, stdout } of runs) {
      assert.equal(code, 0);
      assert.match(
        stdout,
        /^word: run\n[\s\S]*word: .*src\/cli\/main\.ts\nword: version\nword: a b\n/,
      );
      assert.match(stdout, /update check: 1\n/);
      assert.ok(stdout.includes(`cache: ${join(parent, "cache")}/dragoman/runtime\n`));
    }
    assert.match(
      runs.map(({ stderr }) => stderr).join(""),
      /Installing[\s\S]*Building the web admin/,
    );
    const calls = await npmCalls();
    assert.equal(calls.filter((call) => call.startsWith("npm ci")).length, 1);
    assert.equal(calls.filter((call) => call.startsWith("npm run")).length, 1);
  });

  it("does neither again, and keeps quiet", async () => {
    const before = await npmCalls();

    const { stderr } = await launch(["version"]);

    assert.equal(stderr, "");
    assert.deepEqual(await npmCalls(), before);
  });

  it("installs again when package-lock.json has changed", async () => {
    await writeFile(join(checkout, "package-lock.json"), `{"changed":true}`);

    await launch(["version"]);

    assert.match((await npmCalls()).at(-1)!, /^npm ci/);
  });

  it("builds again when a source of the web admin is newer", async () => {
    const future = new Date(Date.now() + 60_000);
    await utimes(join(checkout, "web-admin/src/main.tsx"), future, future);

    await launch(["version"]);

    assert.match((await npmCalls()).at(-1)!, /^npm run --silent build -w web-admin/);
    await utimes(join(checkout, "web-admin/src/main.tsx"), new Date(0), new Date(0));
  });

  it("is found through symbolic links, relative ones too", async () => {
    await symlink(join(checkout, "dragoman"), join(parent, "one"));
    await symlink("./one", join(parent, "two"));

    const { code, stdout } = await runProcess(join(parent, "two"), ["x"], {
      cwd: "/",
      env: environment(),
    });

    assert.equal(code, 0);
    assert.ok(stdout.includes(`word: ${checkout}/src/cli/main.ts\nword: x\n`));
  });

  it("breaks the lock of a process that died", async () => {
    await mkdir(join(checkout, ".cache/setup.lock"), { recursive: true });
    await writeFile(join(checkout, ".cache/setup.lock/pid"), "4194304\n");
    await rm(join(checkout, "web-admin/dist"), { recursive: true });

    assert.equal((await launch(["version"])).code, 0);
  });

  it("uses a private directory under the temporary one where there is no home", async () => {
    const more = { XDG_CACHE_HOME: "/proc/none", HOME: "/proc/none", TMPDIR: parent };

    const { stdout } = await launch(["version"], more);

    const [, cache] = /cache: (.*)\n/.exec(stdout)!;
    assert.ok(cache!.startsWith(`${parent}/dragoman-`));
    const mode = execFileSync("stat", ["-c", "%a", cache!], { encoding: "utf8" }).trim();
    assert.equal(mode, "700");
  });

  it("runs the real command line from any directory", async () => {
    const { code, stdout } = await runProcess(join(repository, "dragoman"), ["version"], {
      cwd: "/",
    });

    assert.equal(code, 0);
    assert.match(stdout, /^dragoman \d+\.\d+\.\d+ \(deno /);
  });
});

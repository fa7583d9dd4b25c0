import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { isPlatformError } from "../../../errors/platform-error.ts";
import { sha256Hex } from "../../../lib/canonical-json.ts";
import { poll } from "../../../lib/wait.ts";
import { isServiceError } from "../../../service/service-error.ts";
import { defineThreadTask, type ThreadTask } from "../../../service/threads.ts";
import { BundleFiles } from "../../deploy/bundle-files.ts";
import { loadBundle } from "../bundle-loader.ts";
import { ThreadPool } from "./thread-pool.ts";

const code = `
  import { existsSync, writeFileSync } from "node:fs";
  const { defineThreadTask, ServiceError } = globalThis[Symbol.for("dragoman.module")];
  let runs = 0;
  defineThreadTask({ name: "square", run: (n) => n * n });
  defineThreadTask({ name: "runs", run: () => ++runs });
  defineThreadTask({ name: "later", run: async (n) => { await null; return new Map([[n, n]]); } });
  defineThreadTask({ name: "spin", run(file) { writeFileSync(file, String(process.pid)); for (;;); } });
  defineThreadTask({ name: "hold", run(file) { while (!existsSync(file)); return "held"; } });
  defineThreadTask({ name: "throw", run() { throw new RangeError("too far"); } });
  defineThreadTask({ name: "refuse", run() {
    throw new ServiceError(409, "Taken", { details: { by: "Ana" } });
  } });
  defineThreadTask({ name: "crash", run: () => process.exit(3) });
  defineThreadTask({ name: "uncopied", run: () => () => 1 });
`;

const never = new AbortController().signal;

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false; // there is no such process
  }
}

describe("The threads of a worker", () => {
  let directory: string;
  let tasks: ReadonlyMap<string, ThreadTask>;
  const task = (name: string) => tasks.get(name)!;
  const pool = new ThreadPool({ threadsMax: 2, queueMax: 1 });

  async function store(text: string): Promise<string> {
    const files = new BundleFiles(directory);
    const hash = sha256Hex(text);
    await files.store({ file: "tasks.ts", hash, code: text, sourceMap: "{}" });
    return files.path(hash);
  }

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "dragoman-threads-"));
    ({ tasks } = await loadBundle(await store(code)));
  });
  after(async () => {
    pool.close();
    await rm(directory, { recursive: true });
  });

  it("run tasks and bring back what they return", async () => {
    assert.equal(await pool.run(task("square"), 7, never), 49);
    assert.deepEqual(await pool.run(task("later"), 1, never), new Map([[1, 1]]));
  });

  it("are used again, and share nothing with this one", async () => {
    const first = await pool.run(task("runs"), undefined, never);
    const second = await pool.run(task("runs"), undefined, never);

    assert.deepEqual([first, second], [1, 2]);
  });

  it("bring back errors with what they say", async () => {
    await assert.rejects(pool.run(task("throw"), 1, never), (error: Error) => {
      assert.match(error.stack ?? "", /[0-9a-f]{64}\.mjs/);
      return error.name === "RangeError" && error.message === "too far";
    });
    await assert.rejects(pool.run(task("refuse"), 1, never), (error: unknown) => {
      return isServiceError(error) && error.status === 409 && error.message === "Taken";
    });
  });

  it("cannot copy functions, either way", async () => {
    await assert.rejects(pool.run(task("uncopied"), 1, never), /could not be cloned/);
    await assert.rejects(pool.run(task("square"), () => 1, never), /could not be cloned/);
    assert.equal(await pool.run(task("square"), 2, never), 4);
  });

  it("are ended when the task's time is over, and replaced", async () => {
    const abort = new AbortController();
    const file = join(directory, "spinning");
    const spinning = pool.run(task("spin"), file, abort.signal);
    const pid = await poll(async () =>
      Number(await readFile(file, "utf8").catch(() => "")) ||
      undefined, { timeoutMs: 20_000 });

    const reason = new Error("time is over");
    abort.abort(reason);

    await assert.rejects(spinning, reason);
    const ended = () => !isRunning(pid!) || undefined;
    assert.ok(await poll(ended, { timeoutMs: 20_000 }), "The task goes on");
    const squares = [1, 2, 3].map((n) => pool.run(task("square"), n, never));
    assert.deepEqual(await Promise.all(squares), [1, 4, 9]);
  });

  it("take only their own task along when they crash", async () => {
    const square = pool.run(task("square"), 3, never);
    await assert.rejects(pool.run(task("crash"), 1, never), {
      code: "THREAD_CRASHED",
      message: 'The thread that ran the task "crash" ended: exit code 3',
    });

    assert.equal(await square, 9);
    assert.equal(await pool.run(task("square"), 4, never), 16);
  });

  it("let so many tasks wait, and drop those whose time is over", async () => {
    const file = join(directory, "release");
    const held = [1, 2].map(() => pool.run(task("hold"), file, never));
    const abort = new AbortController();
    const waiting = pool.run(task("square"), 5, abort.signal);

    await assert.rejects(pool.run(task("square"), 6, never), (error) => {
      return isPlatformError(error, "THREAD_BUSY") && error.retryAfterMs === 1_000;
    });
    abort.abort(new Error("gone"));
    await assert.rejects(waiting, /gone/);
    const next = pool.run(task("square"), 7, never);
    await writeFile(file, "");

    assert.deepEqual(await Promise.all([...held, next]), ["held", "held", 49]);
  });

  it("refuse tasks that no file has defined", async () => {
    const stray = defineThreadTask({ name: "stray", run: () => 1 });
    await assert.rejects(pool.run(stray, undefined, never), { code: "THREAD_TASK_UNKNOWN" });
  });

  it("refuse two tasks of one name in a file", async () => {
    const path = await store(`${code}\ndefineThreadTask({ name: "spin", run: () => 1 });`);
    await assert.rejects(loadBundle(path), {
      code: "THREAD_TASK_INVALID",
      message: /"spin" cannot be defined: The file has another task with this name/,
    });
  });
});

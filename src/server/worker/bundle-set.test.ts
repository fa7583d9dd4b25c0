import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { sha256Hex } from "../../lib/canonical-json.ts";
import { poll } from "../../lib/wait.ts";
import type { Facilities } from "../../service/facilities.ts";
import { runService } from "../../service/run-service.ts";
import { createFakeCall } from "../../service/running/fake-call.ts";
import { createRunnable } from "../../service/running/runnable.ts";
import { createLogger } from "../../telemetry/logger.ts";
import { BundleFiles } from "../deploy/bundle-files.ts";
import { loadBundle } from "./bundle-loader.ts";
import { BundleSet } from "./bundle-set.ts";
import type { BundleFile } from "./protocol.ts";

const lifecycle = {
  server: "server-1",
  cluster: "test",
  logger: createLogger({ write: () => {} }),
  facilities: {} as Facilities, // none of them is used here
};

/** What the services of a test have done, and what they wait for before they go on. */
interface Seen {
  readonly steps: string[];
  readonly call: PromiseWithResolvers<void>;
  readonly stop: PromiseWithResolvers<void>;
}

describe("The bundles of a worker", () => {
  let directory: string;
  before(async () => directory = await mkdtemp(join(tmpdir(), "dragoman-set-")));
  after(() => rm(directory, { recursive: true, force: true }));

  async function store(file: string, code: string): Promise<BundleFile> {
    const files = new BundleFiles(directory);
    const hash = sha256Hex(code);
    await files.store({ file, hash, code, sourceMap: "{}" });
    return { file, hash, path: files.path(hash) };
  }

  /** Two versions of a file, each with a service that says what becomes of it. */
  async function prepare(test: string) {
    const seen: Seen = {
      steps: [],
      call: Promise.withResolvers<void>(),
      stop: Promise.withResolvers<void>(),
    };
    Reflect.set(globalThis, test, seen);
    const version = (number: number) =>
      store(
        "a.ts",
        `const { defineService } = globalThis[Symbol.for("dragoman.module")];
        const { steps, call, stop } = globalThis["${test}"];
        export const service = defineService({
          name: "service",
          handle: () => call.promise,
          onStart: () => void steps.push("start ${number}"),
          async onStop() {
            steps.push("stopping ${number}");
            await stop.promise;
            steps.push("stopped ${number}");
          },
        });\n`,
      );
    const set = new BundleSet();
    const use = async (...bundles: readonly BundleFile[]) => {
      assert.deepEqual(await set.update(bundles, lifecycle), []);
      return set.stopReplaced();
    };
    return { ...seen, set, use, one: await version(1), two: await version(2) };
  }

  it("stop what was replaced when its last call has ended", async () => {
    const { steps, set, use, one, two, call, stop } = await prepare("replaced");
    stop.resolve();
    await use(one);
    const called = runService(createRunnable(set.services().get("service")!), {}, fakeCall());

    const stopped = use(two);
    await poll(() => steps.includes("start 2") || undefined, { timeoutMs: 5_000 });
    assert.deepEqual(steps, ["start 1", "start 2"]);
    call.resolve();
    await Promise.all([called, stopped]);

    assert.deepEqual(steps, ["start 1", "start 2", "stopping 1", "stopped 1"]);
  });

  it("go on with code that is live again before it was stopped", async () => {
    const { steps, set, use, one, two, call, stop } = await prepare("again");
    stop.resolve();
    await use(one);
    const called = runService(createRunnable(set.services().get("service")!), {}, fakeCall());
    const first = use(two);
    await poll(() => steps.includes("start 2") || undefined, { timeoutMs: 5_000 });
    const second = use(one);
    await Promise.all([first, second]);
    call.resolve();
    await called;

    assert.deepEqual(steps, ["start 1", "start 2", "stopping 2", "stopped 2"]);
    await use();
    assert.deepEqual(steps.slice(4), ["stopping 1", "stopped 1"]);
  });

  it("wait for code that is being stopped before it starts again", async () => {
    const { steps, use, one, two, stop } = await prepare("stopping");
    await use(one);
    const stopped = use(two);
    await poll(() => steps.includes("stopping 1") || undefined, { timeoutMs: 5_000 });
    const again = use(one);
    stop.resolve();
    await Promise.all([stopped, again]);

    assert.deepEqual(steps.slice(0, 5), [
      "start 1",
      "start 2",
      "stopping 1",
      "stopped 1",
      "start 1",
    ]);
  });

  it("start equal code once, whichever file has it", async () => {
    const { steps, set, use, one, stop } = await prepare("equal");
    stop.resolve();
    await use(one);
    await use({ ...one, file: "b.ts" });
    await use({ ...one, file: "b.ts" }, { ...one, file: "c.ts" });
    await use({ ...one, file: "c.ts" });

    assert.deepEqual(steps, ["start 1"]);
    await set.stop(1_000);
    assert.deepEqual(steps, ["start 1", "stopping 1", "stopped 1"]);
  });

  it("give up a bundle that does not finish loading, and load it once it has", async () => {
    const loading = Promise.withResolvers<void>();
    // The runtime takes a process that waits for its top-level code alone for one that is stuck.
    const busy = setInterval(() => {}, 1_000);
    Reflect.set(globalThis, "loading", loading.promise);
    const code = `const { defineService } = globalThis[Symbol.for("dragoman.module")];
      await globalThis.loading;
      export const late = defineService({ name: "late", handle: () => 1 });\n`;
    const { path } = await store("late.ts", code);
    const other = await store("other.ts", code.replace("await globalThis.loading;", ""));
    const load = () => loadBundle(path, { file: "late.ts", limitMs: 50 });
    const late = {
      code: "DEPLOY_TIMEOUT",
      message: '"late.ts" did not finish loading within 0.05 s',
    };

    const first = load();
    const next = loadBundle(other.path);
    await assert.rejects(first, late);
    assert.equal((await next).services.length, 1);
    await assert.rejects(load(), late);
    loading.resolve();
    const loaded = await poll(() => load().catch(() => undefined), { timeoutMs: 5_000 });

    clearInterval(busy);
    assert.deepEqual(loaded?.services.map(({ name }) => name), ["late"]);
  });
});

function fakeCall() {
  return createFakeCall().call;
}

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { bundleFile, stopBundler } from "../../../src/server/deploy/bundle.ts";
import { channel, storeBundle, WorkerProcess } from "./worker-process.ts";

const tasks = `
  import { defineThreadTask, ServiceError } from "dragoman";
  export const digest = defineThreadTask({
    name: "digest",
    run({ bytes, at }: { bytes: Uint8Array; at: Date }) {
      if (bytes.length === 0) throw new ServiceError(422, "There is nothing to digest");
      return new Map([[at.toISOString(), bytes.reduce((sum, byte) => sum + byte, 0)]]);
    },
  });
  export const crash = defineThreadTask({ name: "crash", run(): void { process.exit(7); } });
`;
const services = `
  import { defineService, z } from "dragoman";
  import { crash, digest } from "./tasks.ts";
  export const digests = defineService({
    name: "digests",
    input: z.object({ text: z.string().default("") }),
    async handle({ input, runInThread, time }) {
      const bytes = new TextEncoder().encode(input.text);
      return Object.fromEntries(await runInThread(digest, { bytes, at: time.parse("2026-01-31") }));
    },
  });
  export const crashes = defineService({
    name: "crashes", handle: ({ runInThread }) => runInThread(crash, undefined),
  });
`;

describe("A deployed file with thread tasks in a module of its own", () => {
  let worker: WorkerProcess;
  let project: string;
  before(async () => {
    worker = await WorkerProcess.start();
    project = await mkdtemp(join(tmpdir(), "dragoman-tasks-"));
    await writeFile(join(project, "tasks.ts"), tasks);
    await writeFile(join(project, "services.ts"), services);
    const { code } = await bundleFile(join(project, "services.ts"));
    const upserted = ["digests", "crashes"].map((name) => channel(`/${name}`, name));
    const bundles = [await storeBundle(worker.directory, { file: "services.ts", code })];
    assert.deepEqual((await worker.configure({ upserted, bundles })).failures, []);
  });
  after(async () => {
    await stopBundler();
    await worker[Symbol.asyncDispose]();
    await rm(project, { recursive: true });
  });

  it("hands values over as what they are, both ways", async () => {
    const response = await worker.fetch("/digests?text=AB");

    assert.deepEqual(await response.json(), { "2026-01-31T00:00:00.000Z": 65 + 66 });
  });

  it("answers a ServiceError of the task like one of the service", async () => {
    const response = await worker.fetch("/digests");

    assert.equal(response.status, 422);
    assert.equal((await response.json()).detail, "There is nothing to digest");
  });

  it("answers 500 to the call whose thread crashed, and goes on", async () => {
    const [crashed, other] = await Promise.all([
      worker.fetch("/crashes"),
      worker.fetch("/digests?text=A"),
    ]);

    assert.deepEqual([crashed.status, (await crashed.json()).code], [500, "THREAD_CRASHED"]);
    assert.equal(other.status, 200);
    await worker.logged('The thread that ran the task \\"crash\\" ended: exit code 7');
  });
});

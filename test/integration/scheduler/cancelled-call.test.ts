import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { WorkerProcess } from "../data-plane/worker-process.ts";

let worker: WorkerProcess;

before(async () => {
  worker = await WorkerProcess.start();
  const bundle = await worker.bundle(
    "waits.ts",
    `
    export const waits = defineService({
      name: "waits.aware", input: z.any(),
      handle({ signal, log }) {
        log.info("waits");
        return new Promise((_, reject) => {
          const end = () => { log.info("was told"); reject(signal.reason); };
          signal.addEventListener("abort", end);
        });
      },
    });
    export const deaf = defineService({
      name: "waits.deaf", input: z.any(),
      handle({ log }) { log.info("hears nothing"); return new Promise(() => {}); },
    });
    export const quick = defineService({
      name: "waits.not", input: z.any(), handle() { return "here"; },
    });
  `,
  );
  await worker.configure({ bundles: [bundle] });
});

after(async () => {
  await worker?.[Symbol.asyncDispose]();
});

/** Calls a service as a job does; `id` is to be told apart from those that `invoke` counts. */
function call(id: number, service: string): void {
  const channel = { kind: "Job", name: "nightly" };
  worker.send({
    type: "invoke",
    id,
    service,
    input: {},
    cid: `c${id}`,
    timeoutMs: 60_000,
    channel,
  });
}

const answer = (id: number) => worker.message("invoked", (message) => message.id === id);

describe("A call that is cancelled", () => {
  it("tells its service, and is answered", async () => {
    call(1_001, "waits.aware");
    await worker.logged("waits");

    worker.send({ type: "abort", id: 1_001 });
    const { error } = await answer(1_001);
    await worker.logged("was told");

    assert.equal(error?.code, "SERVICE_CANCELLED");
  });

  it("is answered when its service does not listen", async () => {
    call(1_002, "waits.deaf");
    await worker.logged("hears nothing");

    worker.send({ type: "abort", id: 1_002 });

    assert.equal((await answer(1_002)).error?.code, "SERVICE_CANCELLED");
  });

  it("is answered when the cancelling comes right behind it", async () => {
    call(1_003, "waits.deaf");
    worker.send({ type: "abort", id: 1_003 });

    assert.equal((await answer(1_003)).error?.code, "SERVICE_CANCELLED");
  });

  it("that has ended is left alone, and so are others", async () => {
    const first = await worker.invoke({ service: "waits.not" });

    worker.send({ type: "abort", id: first.id });
    const second = await worker.invoke({ service: "waits.not" });

    assert.deepEqual([first.output, second.output], ["here", "here"]);
  });
});

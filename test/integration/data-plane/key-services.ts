import assert from "node:assert/strict";
import type { KeySupervisor } from "./key-supervisor.ts";
import { channel, object, WorkerProcess } from "./worker-process.ts";

const services = (ran: string) => `
const { appendFileSync, existsSync } = await import("node:fs");
const note = (what) => appendFileSync(${JSON.stringify(ran)}, what + "\\n");
const until = async (file, signal) => {
  while (!existsSync(file)) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    signal?.throwIfAborted();
  }
};
let calls = 0;
export const pay = defineService({
  name: "pay",
  input: z.object({ what: z.string(), amount: z.int().optional() }),
  output: z.object({ call: z.int() }),
  handle({ input, response }) {
    note(input.what);
    response.status = 201;
    response.headers.append("Set-Cookie", "a=1");
    response.headers.append("Set-Cookie", "b=2");
    return { call: ++calls };
  },
});
export const slow = defineService({
  name: "slow",
  input: z.object({ what: z.string(), wait: z.string() }),
  async handle({ input }) {
    note(input.what);
    await until(input.wait);
    return { call: ++calls };
  },
});
export const patient = defineService({
  name: "patient",
  input: z.object({ what: z.string(), wait: z.string() }),
  async handle({ input, signal, remaining }) {
    note(input.what);
    signal.addEventListener("abort", () => note("left " + input.what));
    await until(input.wait, signal);
    return { call: ++calls, hasTime: remaining() > 0 };
  },
});
export const fails = defineService({
  name: "fails",
  input: z.object({ what: z.string() }),
  handle({ input }) { note(input.what); throw new Error("boom"); },
});
export const refuses = defineService({
  name: "refuses",
  input: z.object({ what: z.string() }),
  handle({ input }) {
    note(input.what);
    throw new ServiceError(404, "There is no such order");
  },
});
export const busy = defineService({
  name: "busy",
  maxConcurrent: 1,
  queueMax: 0,
  input: z.object({ what: z.string(), wait: z.string() }),
  async handle({ input }) { note(input.what); await until(input.wait); return {}; },
});
export const large = defineService({
  name: "large",
  input: z.object({ what: z.string(), size: z.int() }),
  handle({ input }) { note(input.what); return { text: "x".repeat(input.size) }; },
});
export const bytes = defineService({
  name: "bytes",
  handle({ response }) {
    note("bytes");
    response.headers.set("Content-Type", "application/octet-stream");
    return new Uint8Array([0, 255, 1, 254]);
  },
});
export const nothing = defineService({ name: "nothing", handle() { note("nothing"); } });
export const streams = defineService({
  name: "streams",
  streamBody: true,
  async handle({ request }) {
    note("streams");
    let size = 0;
    for await (const chunk of request.body ?? []) size += chunk.length;
    return { size };
  },
});
export const streamed = defineService({
  name: "streamed",
  async *handle() { note("streamed"); yield "a"; yield "b"; },
});
export const hooked = defineService({
  name: "hooked",
  input: z.object({ what: z.string() }),
  before({ input }) { note(input.what); },
  handle: () => ({}),
});
`;

/** A worker with services that add what they execute to the file `ran`, each on a channel. */
export async function startKeyWorker(
  supervisor: KeySupervisor,
  ran: string,
): Promise<WorkerProcess> {
  const started = await WorkerProcess.start();
  supervisor.serve(started);
  const { failures } = await started.configure({
    bundles: [await started.bundle("keys.ts", services(ran))],
    upserted: [
      ...[
        "pay",
        "slow",
        "patient",
        "fails",
        "refuses",
        "busy",
        "large",
        "bytes",
        "nothing",
        "streams",
        "streamed",
        "hooked",
      ].map((name) => channel(`/${name}`, name, { methods: ["GET", "POST", "PUT"] })),
      channel("/other", "pay"),
      channel("/strict", "pay", { idempotencyKey: "required" }),
      channel("/compressed", "large", { compress: true }),
      channel("/hurried", "slow", { timeoutMs: 400 }),
      channel("/short", "patient", { timeoutMs: 900 }),
      channel("/again", "slow", { whenUnknown: "repeat" }),
      object("SoapChannel", "soap", { path: "/soap", service: "pay", security: "none" }),
    ],
  });
  assert.deepEqual(failures, []);
  return started;
}

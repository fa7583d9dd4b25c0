import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { hostileRequests } from "./hostile-requests.ts";
import { sendRaw } from "./raw-http.ts";
import { channel, WorkerProcess } from "./worker-process.ts";

const services = `
  export const echo = defineService({ name: "echo", handle: ({ input }) => ({ input }) });
  export const typed = defineService({
    name: "typed",
    input: z.strictObject({
      id: z.int().optional(), name: z.string().max(20).optional(), ok: z.boolean().optional(),
      at: z.date().optional(), file: z.file().max(100).optional(), tags: z.array(z.int()).optional(),
    }),
    handle: ({ input }) => Object.keys(input),
  });
  export const rows = defineService({
    name: "rows",
    input: z.array(z.strictObject({ a: z.string(), b: z.int().optional() })),
    handle: ({ input }) => input.length,
  });
  export const raw = defineService({
    name: "raw", streamBody: true,
    async handle({ request }) {
      let bytes = 0;
      for await (const chunk of request.body) bytes += chunk.length;
      return bytes;
    },
  });
  export const blob = defineService({ name: "blob", handle: () => new Blob(["0123456789"]) });
`;

const limits = { bodyBytesMax: 20_000 };
const channels = [
  channel("/json", "echo", { ...limits, formats: ["json"] }),
  channel("/typed", "typed", { ...limits, formats: ["json", "form", "xml"] }),
  channel("/typed/{id:int}", "typed", limits),
  channel("/form", "echo", { ...limits, formats: ["form"] }),
  channel("/csv", "rows", { bodyBytesMax: 4_000_000, formats: ["csv"] }),
  channel("/text", "echo", { ...limits, formats: ["text"], bodyField: "text" }),
  channel("/raw", "raw", limits),
  channel("/blob", "blob", { output: "binary" }),
  channel("/few", "echo", { headersMax: 8, headerBytesMax: 600, queryMax: 50 }),
  channel("/apart/{id}", "echo", { ...limits, merge: false }),
  channel("/deep/{rest*}", "echo", limits),
];

describe(`A worker that gets ${hostileRequests.length} hostile requests`, () => {
  let worker: WorkerProcess;

  before(async () => {
    worker = await WorkerProcess.start();
    const { failures } = await worker.configure({
      upserted: channels,
      bundles: [await worker.bundle("all.ts", services)],
    });
    assert.deepEqual(failures, []);
  });
  after(() => worker[Symbol.asyncDispose]());

  for (const [name, bytes, expected] of hostileRequests) {
    it(`refuses ${name}`, async () => {
      const answer = await sendRaw(worker.port, bytes);

      const statuses = typeof expected === "number" ? [expected] : expected;
      assert.ok(statuses.includes(answer.status), `${answer.head}\n\n${answer.body}`);
      assert.doesNotMatch(answer.body, /\.ts\b|\.mjs|node_modules|\n {4}at /);
      // What the engine itself refuses has no body.
      if (answer.body === "") return;
      const problem = JSON.parse(answer.body);
      assert.equal(problem.status, answer.status);
      assert.match(problem.cid, /^[0-9A-Z]{26}$/);
      assert.match(answer.head, /content-type: application\/problem\+json/i);
    });
  }

  it("has lived through all of it, and thinks no worse of honest requests", async () => {
    const response = await worker.fetch("/typed/7?ok=true");

    assert.deepEqual(await response.json(), ["id", "ok"]);
    assert.equal(worker.child.exitCode, null);
    assert.doesNotMatch(worker.log, /"level":"error"|Uncaught|Unhandled/);
    assert.equal(Object.prototype.hasOwnProperty.call(Object.prototype, "x"), false);
  });
});

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { channel, object, WorkerProcess } from "../data-plane/worker-process.ts";
import { oddities, type Oddity } from "./odd-services.ts";

const timeoutMs = 150;

/** How a service is reached, and what is defined for it. */
interface Way {
  readonly name: string;
  readonly define: (id: string, body: string) => string;
  readonly more?: Readonly<Record<string, unknown>>;
  /** For oddities that look different this way; undefined: not tried. */
  readonly status?: (oddity: Oddity) => number | undefined;
}

const define = (id: string, body: string, more = "") =>
  `export const s${id.replaceAll("-", "_")} = defineService({ name: "${id}", ${more}
    handle: async (ctx) => { ${body.replaceAll("SELF", `"${id}"`)} } });`;

/** What another service makes of it: answers of its callee are its own failures. */
const asCallee = ({ name, status }: Oddity): number | undefined =>
  /sent|returns|sets a|refuses/.test(name) && status !== 504 ? undefined : status;

const ways: readonly Way[] = [
  { name: "over JSON", define },
  {
    name: "with hooks around it",
    define: (id, body) =>
      define(id, body, "before() {}, after() {}, onError() {}, slowMs: 1, maxConcurrent: 5,"),
    // A service that waits for a place that it takes up itself waits until its time is over.
    status: ({ name, status }) => name.startsWith("invokes itself") ? undefined : status,
  },
  { name: "over XML", define, more: { output: "xml" }, status: xmlStatus },
  {
    name: "kept, tagged and compressed",
    define,
    more: { cache: { ttlMs: 60_000 }, etag: true, compress: true, cors: { origins: "*" } },
  },
  {
    name: "for another service",
    define: (id, body) =>
      define(`${id}-callee`, body) + define(id, `return await ctx.invoke("${id}-callee", {})`),
    status: asCallee,
  },
  {
    name: "for a hook of its own",
    define: (id, body) => define(id, "throw 1", `async onError(_, ctx) { ${body} },`),
    status: ({ name, status }) => /sets a|returns/.test(name) ? undefined : status,
  },
];

/** XML says more than JSON does. */
function xmlStatus({ name, status }: Oddity): number | undefined {
  if (/big integer$|big integer inside/.test(name) && name.startsWith("returns")) return 200;
  if (/promise inside/.test(name)) return undefined;
  return status;
}

interface Case {
  readonly id: string;
  readonly source: string;
  readonly status: number;
  readonly title: string;
  readonly more: Readonly<Record<string, unknown>>;
}

const cases: readonly Case[] = ways.flatMap((way, wayIndex) =>
  oddities.flatMap((oddity, index): Case[] => {
    const status = way.status === undefined ? oddity.status : way.status(oddity);
    if (status === undefined) return [];
    const id = `odd-${wayIndex}-${index}`;
    const source = way.define(id, oddity.body);
    return [{ id, source, status, title: `${oddity.name}, ${way.name}`, more: way.more ?? {} }];
  })
);

describe(`A worker with ${cases.length} services that are odd`, () => {
  let worker: WorkerProcess;

  before(async () => {
    worker = await WorkerProcess.start();
    const sources = [...cases.map(({ source }) => source), define("fine", "return { fine: 1 }")];
    const { failures } = await worker.configure({
      upserted: [
        ...cases.map(({ id, more }) =>
          channel(`/${id}`, id, { timeoutMs: isSilent(id) ? timeoutMs : 10_000, ...more })
        ),
        channel("/fine", "fine"),
        object("Dictionary", "words", { rows: [] }),
      ],
      bundles: [await worker.bundle("odd.ts", sources.join("\n"))],
    });
    assert.deepEqual(failures.filter(({ name }) => name !== "words"), []);
  });
  after(() => worker[Symbol.asyncDispose]());

  const isSilent = (id: string) => cases.find((one) => one.id === id)?.status === 504;

  for (const { id, status, title } of cases) {
    it(`answers once that ${title}`, async () => {
      const response = await worker.fetch(`/${id}`, {
        headers: { Origin: "https://page.example", "Accept-Encoding": "gzip" },
        signal: AbortSignal.timeout(8_000),
      });
      const text = await response.text();

      assert.equal(response.status, status, text);
      assert.equal(response.headers.get("x-evil"), null);
      assert.doesNotMatch(text, /SECRET|\.ts\b|\.mjs| {4}at /);
      const cid = response.headers.get("x-dragoman-cid") ?? "";
      assert.match(cid, /^[0-9A-Z]{26}$/);
      if (status === 200) return;
      const problem = JSON.parse(text);
      assert.deepEqual([problem.status, problem.cid], [status, cid]);
      assert.equal(response.headers.get("content-type"), "application/problem+json");
      assert.equal(problem.code === "INTERNAL", false, text);
    });
  }

  for (const { id, title } of cases.filter((one) => /over JSON$/.test(one.title))) {
    it(`tells an operator once that ${title}`, async () => {
      const { error } = await worker.invoke({ service: id, timeoutMs: isSilent(id) ? 100 : 8_000 });

      // A head, and functions, mean nothing to an operator.
      if (/sets|changes the request|function|symbol|promise inside/.test(title)) return;
      assert.ok(error !== undefined, title);
      assert.notEqual(error.code, "INTERNAL");
      assert.equal(typeof error.message, "string");
    });
  }

  it("has lived through all of it, with a line in the log for each", async () => {
    const response = await worker.fetch("/fine");

    assert.deepEqual(await response.json(), { fine: 1 });
    assert.equal(worker.child.exitCode, null);
    assert.doesNotMatch(worker.log, /Uncaught|Unhandled/);
    for (const line of worker.log.split("\n")) assert.ok(line.length < 100_000, line.slice(0, 200));
  });
});

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import type { BundleFile } from "../../../src/server/worker/protocol.ts";
import { rawRequest, sendRaw } from "./raw-http.ts";
import { channel, object, WorkerProcess } from "./worker-process.ts";

const services = `
  export const echo = defineService({ name: "echo", handle: ({ input }) => ({ input }) });
  export const back = defineService({ name: "back", handle: ({ input }) => input });
  const item = z.object({ sku: z.string(), count: z.int(), price: z.number().optional() });
  export const order = defineService({
    name: "order",
    input: z.object({
      customer: z.object({ name: z.string(), vip: z.boolean().default(false) }),
      items: z.array(item).default([]), tags: z.array(z.string()).optional(),
      due: z.date().optional(),
    }),
    handle: ({ input }) => input,
  });
  export const rows = defineService({
    name: "rows", input: z.array(item), handle: ({ input }) => input,
  });
  export const load = defineService({
    name: "load",
    input: z.object({ into: z.string(), rows: z.array(item) }),
    handle: ({ input }) => input,
  });
  export const note = defineService({
    name: "note", input: z.object({ id: z.int(), note: z.string() }), handle: ({ input }) => input,
  });
  export const shout = defineService({
    name: "shout", input: z.string(), handle: ({ input }) => input.toUpperCase(),
  });
  export const bytes = defineService({
    name: "bytes",
    input: z.instanceof(Uint8Array),
    handle: ({ input }) => input.toReversed(),
  });
  export const apart = defineService({
    name: "apart",
    input: z.object({
      path: z.object({ id: z.int() }),
      query: z.object({ id: z.int().optional(), deep: z.boolean().optional() }),
      body: z.object({ id: z.string() }).optional(),
    }),
    handle: ({ input }) => input,
  });
  export const verbs = defineService({
    name: "verbs", get: () => "got", put: () => "put", delete: () => undefined,
  });
  export const strange = defineService({
    name: "strange",
    handle({ input: { what } }) {
      if (what === "nan") return { list: [1, { deep: NaN }] };
      if (what === "infinity") return Infinity;
      if (what === "function") return { f() {} };
      if (what === "map") return { map: new Map([["a", 1]]) };
      if (what === "date") return { at: new Date(Number.NaN) };
      const cycle = { name: "x" };
      cycle.self = cycle;
      return cycle;
    },
  });
  export const plain = defineService({
    name: "plain",
    handle: () => ({ at: new Date(0), gone: undefined, none: null, "a/b": [true] }),
  });
`;

const post = ["POST"];
const channels = [
  channel("/echo/{id}", "echo", { methods: ["GET", "POST"] }),
  channel("/order", "order", { methods: post, formats: ["json", "form", "xml"] }),
  channel("/rows", "rows", { methods: post, formats: ["csv", "json"], output: ["json", "csv"] }),
  channel("/load/{into}", "load", { methods: post, formats: ["csv"], bodyField: "rows" }),
  channel("/note/{id}", "note", { methods: post, formats: ["text"], bodyField: "note" }),
  channel("/shout", "shout", { methods: post, formats: ["text", "json"], output: "text" }),
  channel("/bytes", "bytes", { methods: post, formats: ["binary"], output: "binary" }),
  channel("/apart/{id}", "apart", { methods: post, merge: false }),
  channel("/body-first/{id}", "echo", { methods: post, priority: ["body", "query", "path"] }),
  channel("/form", "back", { methods: post, output: "form" }),
  channel("/xml", "order", { methods: post, formats: ["xml"], output: "xml" }),
  channel("/csv", "back", { methods: post, output: "csv" }),
  channel("/verbs", "verbs", { methods: ["GET", "PUT", "POST", "DELETE"] }),
  channel("/strange", "strange"),
  channel("/plain", "plain"),
];

/** Channels that are told apart by more than their path; each answers with its name. */
const places: readonly [string, Readonly<Record<string, unknown>>][] = [
  ["int", { path: "/p/{x:int}" }],
  ["uuid", { path: "/p/{x:uuid}" }],
  ["date", { path: "/p/{x:date}" }],
  ["number", { path: "/p/{x:number}" }],
  ["bool", { path: "/p/{x:bool}" }],
  ["word", { path: "/p/{x:word}" }],
  ["any", { path: "/p/{x}" }],
  ["literal", { path: "/p/seven" }],
  ["rest", { path: "/p/{x*}" }],
  ["deep-int", { path: "/p/{x:int}/deep" }],
  ["typed-only", { path: "/t/{x:int}" }],
  ["general", { path: "/h" }],
  ["exact", { path: "/h", host: "api.example.com" }],
  ["below", { path: "/h", host: "*.example.com" }],
  ["deeper", { path: "/h", host: "*.eu.example.com" }],
  ["exact-only", { path: "/only", host: "api.example.com" }],
  ["a-json", { path: "/a", accept: "application/json" }],
  ["a-csv", { path: "/a", accept: "text/csv" }],
  ["b-csv", { path: "/b", accept: "text/csv" }],
  ["b-any", { path: "/b" }],
  ["b-text", { path: "/b", accept: "text/*" }],
];

const json = { "Content-Type": "application/json" };

describe("A REST channel", () => {
  let worker: WorkerProcess;
  let bundles: readonly BundleFile[];

  before(async () => {
    worker = await WorkerProcess.start();
    const named = places.map(([name]) =>
      `export const s${name.replaceAll("-", "_")} = defineService({
        name: "${name}", handle: () => "${name}",
      });`
    ).join("\n");
    bundles = [await worker.bundle("all.ts", services + named)];
    const { failures } = await worker.configure({
      upserted: [
        ...channels,
        ...places.map(([name, spec]) =>
          object("RestChannel", name, {
            service: name,
            security: "none",
            methods: ["GET"],
            ...spec,
          })
        ),
      ],
      bundles,
    });
    assert.deepEqual(failures, []);
  });
  after(() => worker[Symbol.asyncDispose]());

  async function call(path: string, init?: RequestInit): Promise<[number, unknown]> {
    const response = await worker.fetch(path, init);
    const text = await response.text();
    const isJson = (response.headers.get("content-type") ?? "").includes("json");
    return [response.status, isJson ? JSON.parse(text) : text];
  }

  const send = (body: BodyInit, type?: string, headers: Record<string, string> = {}) => ({
    method: "POST",
    body,
    headers: { ...(type === undefined ? {} : { "Content-Type": type }), ...headers },
  });
  const form = new FormData();
  form.append("customer[name]", "Ève");
  form.append("items[][sku]", "a");
  form.append("tags", "x");

  const ana = { customer: { name: "Ana", vip: false }, items: [] };
  const bodies: readonly [string, string, RequestInit, unknown][] = [
    [
      "nested fields of a form",
      "/order",
      send(
        "customer[name]=Ana&customer[vip]=true&items[0][sku]=a&items[0][count]=2" +
          "&items[1][sku]=b&items[1][count]=1&items[1][price]=1.5&tags[]=x&tags[]=y&due=2026-01-02",
        "application/x-www-form-urlencoded",
      ),
      {
        customer: { name: "Ana", vip: true },
        items: [{ sku: "a", count: 2 }, { sku: "b", count: 1, price: 1.5 }],
        tags: ["x", "y"],
        due: "2026-01-02T00:00:00.000Z",
      },
    ],
    ["nested fields of a query", "/order?customer[name]=Ana", { method: "POST" }, ana],
    [
      "compressed JSON",
      "/order",
      send(gzipSync(JSON.stringify(ana)), "application/json", { "Content-Encoding": "gzip" }),
      ana,
    ],
    [
      "XML",
      "/order",
      send("<o><customer><name>Ana</name></customer></o>", "application/xml"),
      ana,
    ],
    ["CSV", "/rows", send('sku,count,price\r\n"a,b",2,\r\nc,3,1.5\r\n', "text/csv"), [
      { sku: "a,b", count: 2 },
      { sku: "c", count: 3, price: 1.5 },
    ]],
    ["CSV with a BOM", "/rows", send("\ufeffsku,count\na,2", "text/csv; charset=utf-8"), [
      { sku: "a", count: 2 },
    ]],
    ["CSV as one field", "/load/stock", send("sku,count\na,2\n", "text/csv"), {
      into: "stock",
      rows: [{ sku: "a", count: 2 }],
    }],
    ["a text as one field", "/note/7", send("häy\n", "text/plain"), { id: 7, note: "häy\n" }],
    ["a text as the input", "/shout", send("häy", "text/markdown"), "HÄY"],
    ["bytes as the input", "/bytes", send("abc", "image/png"), "cba"],
    [
      "sources apart",
      "/apart/1?id=2&deep=true",
      send('{"id":"3"}', "application/json"),
      { path: { id: 1 }, query: { id: 2, deep: true }, body: { id: "3" } },
    ],
    ["sources apart, without a body", "/apart/1", { method: "POST" }, {
      path: { id: 1 },
      query: {},
    }],
    [
      "another order of sources",
      "/body-first/path?id=query&q=query",
      send('{"id":"body"}', "application/json"),
      { input: { id: "body", q: "query" } },
    ],
    ["brackets that are no path", "/echo/1?a]b=1&[x]=2&c[d=3", {}, {
      input: { id: "1", "a]b": "1", "[x]": "2", "c[d": "3" },
    }],
    ["indexes with a gap as names", "/echo/1?a[1]=x", {}, { input: { id: "1", a: { 1: "x" } } }],
  ];
  for (const [name, path, init, expected] of bodies) {
    it(`takes ${name}`, async () => {
      assert.deepEqual(await call(path, init), [200, expected]);
    });
  }

  it("names the nested field of a form that is wrong", async () => {
    const [status, problem] = await call("/order", { method: "POST", body: form });

    assert.equal(status, 400);
    assert.deepEqual(
      (problem as { errors: { pointer: string }[] }).errors.map(({ pointer }) => pointer),
      ["/items/0/count"],
    );
  });

  it("writes forms, CSV, XML and what a service makes of values", async () => {
    const nested = { a: 1, b: [{ c: "ü&" }, "x"], none: null };
    const list = [{ a: 1, b: 'x"y' }, { a: 2, c: true }];
    const asForm = await worker.fetch("/form", send(JSON.stringify(nested), "application/json"));
    const asCsv = await worker.fetch("/csv", send(JSON.stringify(list), "application/json"));
    const asXml = await worker.fetch(
      "/xml",
      send("<o><customer><name>Ana</name></customer></o>", "text/xml"),
    );

    assert.equal(asForm.headers.get("content-type"), "application/x-www-form-urlencoded");
    assert.deepEqual([...new URLSearchParams(await asForm.text())], [
      ["a", "1"],
      ["b[0][c]", "ü&"],
      ["b[1]", "x"],
    ]);
    assert.equal(await asCsv.text(), 'a,b,c\r\n1,"x""y",\r\n2,,true\r\n');
    assert.match(asXml.headers.get("content-type") ?? "", /^application\/xml/);
    assert.match(await asXml.text(), /<name>Ana<\/name>/);
  });

  const accepted: readonly [string | undefined, number, string][] = [
    [undefined, 200, "application/json"],
    ["*/*", 200, "application/json"],
    ["text/csv", 200, "text/csv; charset=utf-8"],
    ["text/*", 200, "text/csv; charset=utf-8"],
    ["application/json;q=0.1, text/csv;q=0.9", 200, "text/csv; charset=utf-8"],
    ["text/csv;q=0, */*", 200, "application/json"],
    ["application/xml, */*;q=0.1", 200, "application/json"],
    ["application/xml", 406, "application/problem+json"],
    ["*/*;q=0", 406, "application/problem+json"],
  ];
  for (const [accept, status, type] of accepted) {
    it(`answers ${status} as ${type} to who accepts ${accept}`, async () => {
      const init = send(
        "sku,count\na,2",
        "text/csv",
        accept === undefined ? {} : { Accept: accept },
      );
      const response = await worker.fetch("/rows", init);

      assert.deepEqual([response.status, response.headers.get("content-type")], [status, type]);
      if (status === 200) assert.equal(response.headers.get("vary"), "Accept");
      await response.body?.cancel();
    });
  }

  it("takes the methods that the service has, and says which", async () => {
    const refused = await worker.fetch("/verbs", { method: "POST" });

    assert.deepEqual(await call("/verbs"), [200, "got"]);
    assert.deepEqual(await call("/verbs", { method: "PUT" }), [200, "put"]);
    assert.equal((await worker.fetch("/verbs", { method: "DELETE" })).status, 204);
    assert.equal(refused.status, 405);
    assert.equal(refused.headers.get("allow"), "DELETE, GET, HEAD, OPTIONS, PUT");
    await refused.body?.cancel();
  });

  const found: readonly [string, Record<string, string>, string][] = [
    ["/p/7", {}, "int"],
    ["/p/-7", {}, "int"],
    ["/p/7.5", {}, "number"],
    ["/p/true", {}, "bool"],
    ["/p/2026-02-28", {}, "date"],
    ["/p/2026-02-30", {}, "word"],
    ["/p/0b7e7dee-87b9-11ee-b9d1-0242ac120002", {}, "uuid"],
    ["/p/seven", {}, "literal"],
    ["/p/eight", {}, "word"],
    ["/p/a%20b", {}, "any"],
    ["/p/7/deep", {}, "deep-int"],
    ["/p/x/deep", {}, "rest"],
    ["/t/7", {}, "typed-only"],
    ["/t/x", {}, "404"],
    ["/h", {}, "general"],
    ["/h", { Host: "api.example.com" }, "exact"],
    ["/h", { Host: "API.example.com:8080" }, "exact"],
    ["/h", { Host: "www.example.com" }, "below"],
    ["/h", { Host: "a.b.example.com" }, "below"],
    ["/h", { Host: "x.eu.example.com" }, "deeper"],
    ["/h", { Host: "example.com" }, "general"],
    ["/only", { Host: "api.example.com" }, "exact-only"],
    ["/only", {}, "404"],
    ["/p/7", { Host: "api.example.com" }, "int"],
    ["/a", {}, "a-json"],
    ["/a", { Accept: "text/csv" }, "a-csv"],
    ["/a", { Accept: "application/json;q=0.2, text/csv" }, "a-csv"],
    ["/a", { Accept: "image/png" }, "406"],
    ["/b", {}, "b-any"],
    ["/b", { Accept: "*/*" }, "b-any"],
    ["/b", { Accept: "text/csv" }, "b-csv"],
    ["/b", { Accept: "text/html" }, "b-text"],
    ["/b", { Accept: "image/png" }, "b-any"],
  ];
  for (const [path, headers, expected] of found) {
    it(`finds ${expected} at ${path} for ${JSON.stringify(headers)}`, async () => {
      const { Host = "localhost", ...others } = headers;
      const lines = Object.entries(others).map(([name, value]) => `${name}: ${value}`);
      const request = rawRequest(`GET ${path}`, lines).replace("Host: localhost", `Host: ${Host}`);
      const answer = await sendRaw(worker.port, request);
      const text = answer.status === 200 ? JSON.parse(answer.body) : String(answer.status);

      assert.equal(text, expected);
    });
  }

  for (
    const [what, pointer] of [
      ["nan", "/list/1/deep"],
      ["infinity", ""],
      ["function", "/f"],
      ["map", "/map"],
      ["date", "/at"],
      ["cycle", "/self/self"],
    ]
  ) {
    it(`answers 500 to an output with ${what}, and logs where it is`, async () => {
      const [status, problem] = await call(`/strange?what=${what}`);
      const { cid, ...rest } = problem as { cid: string };

      assert.equal(status, 500);
      assert.deepEqual(rest, {
        title: "Internal Server Error",
        status: 500,
        code: "SERVICE_OUTPUT_NOT_JSON",
      });
      await worker.logged(cid);
      const line = worker.log.split("\n").find((text) => text.includes(cid)) ?? "";
      assert.ok(line.includes(`"pointer":"${pointer}`), line);
    });
  }

  it("writes dates as ISO 8601 and leaves out what is undefined", async () => {
    assert.deepEqual(await call("/plain", { headers: json }), [200, {
      at: "1970-01-01T00:00:00.000Z",
      none: null,
      "a/b": [true],
    }]);
  });

  it("reports a channel whose methods its service does not have", async () => {
    const { failures } = await worker.configure({
      upserted: [object("RestChannel", "no-post", {
        path: "/no-post",
        service: "verbs",
        security: "none",
        methods: ["POST"],
      })],
      bundles,
    });

    assert.match(failures[0]?.error ?? "", /takes POST, of which the service "verbs" has none/);
  });
});

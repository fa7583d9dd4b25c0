import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { rawRequest, sendRaw } from "./raw-http.ts";
import { channel, WorkerProcess } from "./worker-process.ts";

const services = `
  export const hello = defineService({
    name: "hello",
    input: z.object({ name: z.string().min(1).default("world") }),
    output: z.object({ hello: z.string() }),
    handle: ({ input }) => ({ hello: input.name }),
  });
  export const typed = defineService({
    name: "typed",
    input: z.object({
      id: z.int(), ok: z.boolean().optional(), big: z.bigint().optional(),
      day: z.date().optional(), tags: z.array(z.string()).optional(),
    }),
    handle: ({ input }) => ({ ...input, big: input.big?.toString(), day: input.day?.getTime() }),
  });
  export const echo = defineService({ name: "echo", handle: ({ input }) => ({ input }) });
  export const facts = defineService({
    name: "facts",
    rawBody: true,
    async handle({ request, server, cluster, remaining }) {
      const { method, path, params, channel, principal, remoteAddress, cid } = request;
      return {
        method, path, params, channel, principal: principal ?? null, remoteAddress, cid, server,
        cluster, query: [...request.query], agent: request.headers.get("user-agent"),
        raw: new TextDecoder().decode(request.rawBody), hasTime: remaining() > 1_000,
      };
    },
  });
  export const outcome = defineService({
    name: "outcome",
    output: z.object({ ok: z.boolean() }).optional(),
    handle({ input: { what }, response }) {
      if (what === "teapot") {
        throw new ServiceError(418, "Short and stout", {
          details: { spout: true }, headers: { "Retry-After": "7" },
        });
      }
      if (what === "crash") throw new Error("secret words");
      if (what === "wrong") return { ok: "no" };
      if (what === "nothing") return undefined;
      if (what === "status") response.status = 201;
      if (what === "status") response.headers.set("Location", "/things/1");
      return { ok: true };
    },
  });
  export const text = defineService({
    name: "text",
    handle({ response }) {
      response.headers.set("Content-Type", "text/csv");
      response.headers.append("Set-Cookie", "a=1");
      response.headers.append("Set-Cookie", "b=2");
      response.headers.set("Content-Length", "1");
      return "a,b\\n";
    },
  });
  export const bigint = defineService({ name: "bigint", handle: () => ({ n: 1n }) });
  export const outer = defineService({
    name: "outer",
    async handle({ invoke }) {
      return [await invoke(hello, { name: "inner" }), await invoke("echo", 1)];
    },
  });
  export const careless = defineService({
    name: "careless",
    handle: ({ invoke }) => invoke("hello", { name: 7 }),
  });
  export const slow = defineService({
    name: "slow",
    timeoutMs: 50,
    async handle({ signal, log }) {
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      log.info("saw the end", { reason: signal.reason.code });
    },
  });
`;

const channels = [
  channel("/hello", "hello"),
  channel("/typed/{id}", "typed"),
  channel("/echo", "echo", { bodyBytesMax: 100 }),
  channel("/echo/{id}", "echo"),
  channel("/deep/{rest*}", "echo"),
  channel("/facts/{a}/{b}", "facts", { methods: ["GET", "POST"] }),
  channel("/outcome", "outcome"),
  channel("/text", "text", { methods: ["GET"] }),
  channel("/bigint", "bigint"),
  channel("/outer", "outer"),
  channel("/careless", "careless"),
  channel("/slow", "slow"),
  channel("/slow-body", "echo", { timeoutMs: 100 }),
  channel("/off", "echo", { active: false }),
];

const json = { "Content-Type": "application/json" };

describe("A worker answering requests", () => {
  let worker: WorkerProcess;

  before(async () => {
    worker = await WorkerProcess.start();
    const bundle = await worker.bundle("all.ts", services);
    const { failures } = await worker.configure({ upserted: channels, bundles: [bundle] });
    assert.deepEqual(failures, []);
  });
  after(() => worker[Symbol.asyncDispose]());

  async function call(path: string, init?: RequestInit): Promise<[number, unknown]> {
    const response = await worker.fetch(path, init);
    assert.match(response.headers.get("x-dragoman-cid") ?? "", /^[0-9A-Z]{26}$/);
    const text = await response.text();
    return [response.status, text === "" ? undefined : JSON.parse(text)];
  }

  const good: readonly [string, string, RequestInit, unknown][] = [
    ["a query", "/hello?name=Ana", {}, { hello: "Ana" }],
    ["a default", "/hello", {}, { hello: "world" }],
    ["JSON", "/hello", { method: "POST", headers: json, body: '{"name":"Bo"}' }, { hello: "Bo" }],
    ["an empty body", "/hello", { method: "POST", headers: json, body: "" }, { hello: "world" }],
    [
      "another JSON type",
      "/hello",
      {
        method: "POST",
        headers: { "Content-Type": "application/vnd.x+json" },
        body: '{"name":"C"}',
      },
      { hello: "C" },
    ],
    [
      "a content type with charset",
      "/hello",
      {
        method: "POST",
        headers: { "Content-Type": "Application/JSON; charset=UTF-8" },
        body: '{"name":"D"}',
      },
      { hello: "D" },
    ],
    [
      "a form",
      "/hello",
      { method: "POST", body: new URLSearchParams({ name: "Ève & Co" }) },
      { hello: "Ève & Co" },
    ],
    ["text as typed values", "/typed/7?ok=true&big=9007199254740993&tags=a", {}, {
      id: 7,
      ok: true,
      big: "9007199254740993",
      tags: ["a"],
    }],
    ["repeated keys and dates", "/typed/7?tags=a&tags=b&day=2026-01-02", {}, {
      id: 7,
      tags: ["a", "b"],
      day: Date.UTC(2026, 0, 2),
    }],
    [
      "path before query before body",
      "/echo/path?id=query&q=query",
      { method: "POST", headers: json, body: '{"id":"body","q":"body","b":"body"}' },
      { input: { id: "path", q: "query", b: "body" } },
    ],
    ["a list as the whole input", "/echo", { method: "POST", headers: json, body: "[1]" }, {
      input: [1],
    }],
    ["decoded path parts", "/echo/a%2Fb%20%C3%A9", {}, { input: { id: "a/b é" } }],
    ["a wildcard", "/deep/a/b.c", {}, { input: { rest: "a/b.c" } }],
    ["services invoking services", "/outer", {}, [{ hello: "inner" }, { input: 1 }]],
  ];
  for (const [name, path, init, expected] of good) {
    it(`takes ${name}`, async () => {
      assert.deepEqual(await call(path, init), [200, expected]);
    });
  }

  it("tells services what they ask about the request", async () => {
    const [status, facts] = await call("/facts/x%20y/2?q=1&q=2", {
      method: "POST",
      headers: { ...json, "User-Agent": "test" },
      body: ' {"a": 0} ',
    });

    const { cid, ...rest } = facts as { cid: string };
    assert.equal(status, 200);
    assert.match(cid, /^[0-9A-Z]{26}$/);
    assert.deepEqual(rest, {
      method: "POST",
      path: "/facts/x%20y/2",
      params: { a: "x y", b: "2" },
      channel: { kind: "RestChannel", name: "facts /facts/{a}/{b}" },
      principal: null,
      remoteAddress: "127.0.0.1",
      server: "server-1",
      cluster: "test",
      query: [["q", "1"], ["q", "2"]],
      agent: "test",
      raw: ' {"a": 0} ',
      hasTime: true,
    });
  });

  it("lets services set status and headers", async () => {
    const created = await worker.fetch("/outcome?what=status");
    const nothing = await worker.fetch("/outcome?what=nothing");
    const text = await worker.fetch("/text");

    assert.equal(created.status, 201);
    assert.equal(created.headers.get("location"), "/things/1");
    assert.deepEqual(await created.json(), { ok: true });
    assert.deepEqual([nothing.status, await nothing.text()], [204, ""]);
    assert.equal(text.headers.get("content-type"), "text/csv");
    assert.deepEqual(text.headers.getSetCookie(), ["a=1", "b=2"]);
    assert.equal(await text.text(), "a,b\n");
  });

  it("sends a ServiceError as problem details", async () => {
    const response = await worker.fetch("/outcome?what=teapot");
    const { cid, ...problem } = await response.json();

    assert.equal(response.headers.get("content-type"), "application/problem+json");
    assert.equal(response.headers.get("retry-after"), "7");
    assert.equal(cid, response.headers.get("x-dragoman-cid"));
    assert.deepEqual(problem, {
      title: "I'm a Teapot",
      status: 418,
      detail: "Short and stout",
      details: { spout: true },
    });
  });

  const faults: readonly [string, string, string, string][] = [
    ["throws", "/outcome?what=crash", "SERVICE_FAILED", "secret words"],
    ["returns what its schema refuses", "/outcome?what=wrong", "SERVICE_OUTPUT_INVALID", "/ok"],
    ["returns what JSON cannot say", "/bigint", "SERVICE_OUTPUT_NOT_JSON", "/n: A bigint"],
    ["invokes another with a wrong input", "/careless", "SERVICE_INPUT_INVALID", "/name"],
  ];
  for (const [name, path, code, logged] of faults) {
    it(`answers 500 without a word of why when a service ${name}, and logs it`, async () => {
      const [status, problem] = await call(path);
      const { cid, ...rest } = problem as { cid: string };

      assert.equal(status, 500);
      assert.deepEqual(rest, { title: "Internal Server Error", status: 500, code });
      await worker.logged(cid);
      const line = worker.log.split("\n").find((text) => text.includes(cid)) ?? "";
      assert.ok(line.includes(logged), line);
    });
  }

  it("names the fields of an input that does not validate", async () => {
    const body = '{"id":"x","tags":["a",1]}';
    const [status, problem] = await call("/typed/7.5?day=soon", {
      method: "POST",
      headers: json,
      body,
    });

    const { errors } = problem as { errors: { pointer: string; detail: string }[] };
    assert.equal(status, 400);
    assert.deepEqual(errors.map(({ pointer }) => pointer), ["/id", "/day", "/tags/1"]);
  });

  it("answers 504 when the time is over, and aborts the service's signal", async () => {
    const [status] = await call("/slow");

    assert.equal(status, 504);
    await worker.logged("saw the end");
    assert.match(worker.log, /"service":"slow".*"reason":"REQUEST_TIMEOUT"/);
  });

  it("answers 408 when the body does not arrive", async () => {
    const head = "POST /slow-body HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n";
    const answer = await sendRaw(worker.port, `${head}Content-Length: 10\r\n\r\n{`);

    assert.equal(answer.status, 408);
  });

  it("answers HEAD as GET, and OPTIONS with the methods", async () => {
    const head = await worker.fetch("/hello", { method: "HEAD" });
    const options = await worker.fetch("/text", { method: "OPTIONS" });

    assert.deepEqual([head.status, head.headers.get("content-length"), await head.text()], [
      200,
      "17",
      "",
    ]);
    assert.deepEqual([options.status, options.headers.get("allow")], [204, "GET, HEAD, OPTIONS"]);
  });

  it("answers 405 with Allow for other methods", async () => {
    const response = await worker.fetch("/text", { method: "DELETE" });

    assert.equal(response.status, 405);
    assert.equal(response.headers.get("allow"), "GET, HEAD, OPTIONS");
    await response.body?.cancel();
  });

  it("answers its own routes", async () => {
    assert.deepEqual(await call("/dragoman/livez"), [200, { status: "alive" }]);
    assert.deepEqual(await call("/dragoman/readyz"), [200, { status: "ready" }]);
    assert.deepEqual(await call("/dragoman/ping"), [200, { pong: "dragoman", server: "server-1" }]);
    assert.equal((await call("/dragoman/other"))[0], 404);
    assert.equal((await call("/dragoman/ping", { method: "POST" }))[0], 405);
  });

  const post = (body: string, type = "application/json") =>
    rawRequest("POST /echo", [`Content-Type: ${type}`], body);
  const hostile: readonly [string, string, number][] = [
    ["no such path", rawRequest("GET /nope"), 404],
    ["an inactive channel", rawRequest("GET /off"), 404],
    ["a trailing slash", rawRequest("GET /hello/"), 404],
    ["a doubled slash", rawRequest("GET //hello"), 404],
    ["an empty path part", rawRequest("GET /echo/"), 404],
    ["a doubled slash in a wildcard", rawRequest("GET /deep/a//b"), 404],
    ["dot segments", rawRequest("GET /deep/../hello"), 400],
    ["encoded dot segments", rawRequest("GET /deep/%2e%2E/hello"), 400],
    ["a NUL in the path", rawRequest("GET /echo/a%00b"), 400],
    ["a line break in the path", rawRequest("GET /echo/a%0d%0ab"), 400],
    ["percent signs that encode nothing", rawRequest("GET /echo/%zz"), 400],
    ["percent signs that are not UTF-8", rawRequest("GET /echo/%ff"), 400],
    ["a fragment in the path", rawRequest("GET /echo/a#b"), 400],
    ["a path that is too long", rawRequest(`GET /${"a".repeat(10_000)}`), 414],
    ["no Host", "GET /hello HTTP/1.1\r\n\r\n", 400],
    ["an empty Host", "GET /hello HTTP/1.1\r\nHost:\r\n\r\n", 400],
    ["two Hosts", rawRequest("GET /hello", ["Host: other"]), 400],
    ["a path hidden in Host", "GET /hello HTTP/1.1\r\nHost: a/off?\r\n\r\n", 400],
    ["a target that is not the Host's", rawRequest("GET http://other/hello"), 400],
    ["an unknown method", rawRequest("BREW /hello"), 405],
    ["CONNECT", rawRequest("CONNECT other:443"), 400],
    ["no content type", rawRequest("POST /echo", [], "{}"), 415],
    ["XML", post("<a/>", "application/xml"), 415],
    ["JSON in Latin-1", post("{}", "application/json; charset=iso-8859-1"), 415],
    [
      "compressed JSON that is cut off",
      rawRequest("POST /echo", [
        "Content-Type: application/json",
        "Content-Encoding: gzip",
      ], "\x1f\x8b"),
      400,
    ],
    ["truncated JSON", post('{"a":'), 400],
    ["two JSON values", post("{} {}"), 400],
    ["white space", post("  "), 400],
    ["a comment in JSON", post("{/**/}"), 400],
    ["NaN in JSON", post("NaN"), 400],
    ["deeply nested JSON that is cut off", post("[".repeat(99)), 400],
    ["__proto__ in JSON", post('{"__proto__":{"admin":true}}'), 400],
    ["__proto__ deep in JSON", post('{"a":[{"b":{"__proto__":1}}]}'), 400],
    ["__proto__ behind escapes", post('{"\\u005f_proto\\u005f_":1}'), 400],
    ["constructor.prototype in JSON", post('{"constructor":{"prototype":{"x":1}}}'), 400],
    ["__proto__ in the query", rawRequest("GET /echo?__proto__=1"), 400],
    ["__proto__ in a form", post("__proto__=1", "application/x-www-form-urlencoded"), 400],
    ["too many fields", rawRequest(`GET /echo?${"a&".repeat(1_500)}`), 400],
    ["a body that is too large", post(`"${"a".repeat(200)}"`), 413],
    [
      "a chunked body that is too large",
      rawRequest("POST /echo", [
        "Content-Type: application/json",
        "Transfer-Encoding: chunked",
        "",
        `c8\r\n${"1".repeat(200)}`,
        "0",
      ]) + "\r\n",
      413,
    ],
    ["a length that is no number", rawRequest("POST /echo", ["Content-Length: x"]), 400],
    [
      "a length and chunks",
      rawRequest("POST /echo", ["Transfer-Encoding: chunked", "Content-Length: 3"]) + "0\r\n\r\n",
      400,
    ],
  ];
  for (const [name, request, status] of hostile) {
    it(`answers ${status} to ${name}, and goes on`, async () => {
      const answer = await sendRaw(worker.port, request);

      assert.equal(answer.status, status, answer.head);
      assert.doesNotMatch(answer.body, /\.ts|\.mjs|node_modules/);
      assert.deepEqual(await call("/hello"), [200, { hello: "world" }]);
    });
  }

  it("keeps a constructor that is only data", async () => {
    const init = { method: "POST", headers: json, body: '{"constructor":"Ford"}' };

    assert.deepEqual(await call("/echo", init), [200, { input: { constructor: "Ford" } }]);
  });

  it("takes a chunked body", async () => {
    const answer = await sendRaw(
      worker.port,
      rawRequest("POST /echo", [
        "Content-Type: application/json",
        "Transfer-Encoding: chunked",
        "",
        '3\r\n{"a\r\n4\r\n":1}\r\n0',
      ]) + "\r\n",
    );

    assert.deepEqual([answer.status, answer.body], [200, '{"input":{"a":1}}']);
  });

  it("gives every request another correlation id", async () => {
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => worker.fetch("/hello")),
    );
    const cids = await Promise.all(answers.map(async (answer) => {
      await answer.body?.cancel();
      return answer.headers.get("x-dragoman-cid");
    }));

    assert.equal(new Set(cids).size, 100);
  });
});

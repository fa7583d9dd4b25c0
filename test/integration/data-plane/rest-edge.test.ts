import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { startRedis } from "../../peers/redis.ts";
import { channel, object, WorkerProcess } from "./worker-process.ts";

const services = `
let calls = 0;
export const count = defineService({
  name: "edge.count",
  description: "Counts its calls",
  input: z.object({ id: z.int(), note: z.string().optional() }),
  output: z.object({ id: z.int(), calls: z.int() }),
  handle: ({ input }) => ({ id: input.id, calls: ++calls }),
});
export const who = defineService({
  name: "edge.who",
  handle: ({ request }) => ({ who: request.principal?.name ?? null }),
});
export const boom = defineService({ name: "edge.boom", handle() { throw new Error("boom"); } });
export const cookie = defineService({
  name: "edge.cookie",
  handle({ response }) {
    response.headers.set("Set-Cookie", "a=b");
    return { calls: ++calls };
  },
});
`;

const cors = {
  origins: ["https://shop.example.com"],
  credentials: true,
  exposeHeaders: ["X-Total"],
};

let worker: WorkerProcess;
let redis: Awaited<ReturnType<typeof startRedis>>;

before(async () => {
  redis = await startRedis();
  worker = await WorkerProcess.start({
    kvdb: { url: redis.url, password: redis.password },
    trustedProxies: ["127.0.0.1"],
  });
  const bundle = await worker.bundle("edge.ts", services);
  const { failures } = await worker.configure({
    bundles: [bundle],
    upserted: [
      object("RateLimit", "three", { by: "address", requests: 3, perMs: 3_600_000 }),
      object("RateLimit", "tenant", {
        by: "header",
        header: "X-Tenant",
        requests: 1,
        perMs: 3_600_000,
        scope: "worker",
      }),
      channel("/limited/{id}", "edge.count", { rateLimits: ["three"] }),
      channel("/tenants/{id}", "edge.count", { rateLimits: ["tenant"] }),
      channel("/cors/{id}", "edge.count", { methods: ["GET", "PUT"], cors }),
      channel("/cors-any/{id}", "edge.count", { cors: { origins: "*" } }),
      channel("/cors-boom", "edge.boom", { cors }),
      channel("/kept/{id}", "edge.count", {
        cache: { ttlMs: 3_600_000, vary: ["Accept-Language"] },
      }),
      channel("/kept-cookie", "edge.cookie", { cache: { ttlMs: 3_600_000 } }),
      channel("/audited/{id}", "edge.count", { audit: true }),
      channel("/hidden/{id}", "edge.count", { documented: false }),
    ],
  });
  assert.deepEqual(failures, []);
});

after(async () => {
  await worker[Symbol.asyncDispose]();
  await redis.stop();
});

const from = (address: string) => ({ headers: { "X-Forwarded-For": address } });

describe("A rate limit", () => {
  it("answers 429 with Retry-After once the burst is used up, to this address alone", async () => {
    const statuses: number[] = [];
    let last: Response | undefined;
    for (let index = 0; index < 5; index++) {
      last = await worker.fetch("/limited/1", from("203.0.113.1"));
      statuses.push(last.status);
      if (last.status === 200) await last.body?.cancel();
    }
    assert.deepEqual(statuses, [200, 200, 200, 429, 429]);
    assert.ok(Number(last?.headers.get("retry-after")) > 0);
    const problem = await last?.json();
    assert.equal(problem.code, "REQUEST_RATE");

    const other = await worker.fetch("/limited/1", from("203.0.113.2"));
    assert.equal(other.status, 200);
    await other.body?.cancel();
  });

  it("counts the addresses of one IPv6 network as one", async () => {
    const statuses: number[] = [];
    for (const end of [":1", ":2", "ffff:0:0:1", "a:b:c:d"]) {
      const answer = await worker.fetch("/limited/1", from(`2001:db8:0:7:${end}`));
      statuses.push(answer.status);
      await answer.body?.cancel();
    }
    assert.equal(statuses.filter((status) => status === 429).length, 1, statuses.join());
  });

  it("counts values of a header apart", async () => {
    const ask = async (tenant: string) => {
      const answer = await worker.fetch("/tenants/1", { headers: { "X-Tenant": tenant } });
      await answer.body?.cancel();
      return answer.status;
    };
    assert.deepEqual([await ask("a"), await ask("a"), await ask("b")], [200, 429, 200]);
  });
});

describe("CORS", () => {
  const origin = "https://shop.example.com";

  it("lets pages of a listed origin read answers, and says so to caches", async () => {
    const answer = await worker.fetch("/cors/1", { headers: { Origin: origin } });
    await answer.body?.cancel();
    assert.equal(answer.headers.get("access-control-allow-origin"), origin);
    assert.equal(answer.headers.get("access-control-allow-credentials"), "true");
    assert.equal(answer.headers.get("access-control-expose-headers"), "X-Total");
    assert.match(answer.headers.get("vary") ?? "", /Origin/);
  });

  for (
    const other of [
      "https://evil.example.com",
      "https://shop.example.com.evil.com",
      "http://shop.example.com",
      "null",
      "https://shop.example.com:444",
    ]
  ) {
    it(`permits nothing to ${other}`, async () => {
      const answer = await worker.fetch("/cors/1", { headers: { Origin: other } });
      await answer.body?.cancel();
      assert.equal(answer.headers.get("access-control-allow-origin"), null);
      const asked = await worker.fetch("/cors/1", {
        method: "OPTIONS",
        headers: { Origin: other, "Access-Control-Request-Method": "PUT" },
      });
      assert.equal(asked.headers.get("access-control-allow-origin"), null);
      assert.equal(asked.headers.get("access-control-allow-methods"), null);
    });
  }

  it("answers a preflight with the methods and headers of the channel", async () => {
    const answer = await worker.fetch("/cors/1", {
      method: "OPTIONS",
      headers: {
        Origin: origin,
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "content-type,x-api-key",
      },
    });
    assert.equal(answer.status, 204);
    assert.equal(answer.headers.get("access-control-allow-origin"), origin);
    assert.match(answer.headers.get("access-control-allow-methods") ?? "", /\bPUT\b/);
    assert.equal(answer.headers.get("access-control-allow-headers"), "content-type,x-api-key");
    assert.equal(answer.headers.get("access-control-max-age"), "600");
  });

  it("lets pages read failures, too", async () => {
    const answer = await worker.fetch("/cors-boom", { headers: { Origin: origin } });
    assert.equal(answer.status, 500);
    assert.equal(answer.headers.get("access-control-allow-origin"), origin);
    await answer.body?.cancel();
  });

  it("takes every origin where the channel says so, without credentials", async () => {
    const answer = await worker.fetch("/cors-any/1", { headers: { Origin: "https://a.example" } });
    await answer.body?.cancel();
    assert.equal(answer.headers.get("access-control-allow-origin"), "*");
    assert.equal(answer.headers.get("access-control-allow-credentials"), null);
  });
});

describe("Kept answers", () => {
  const ask = async (path: string, headers: Record<string, string> = {}) => {
    const answer = await worker.fetch(path, { headers });
    return { calls: (await answer.json()).calls, answer };
  };

  it("are given again, each with a correlation id of its own", async () => {
    const first = await ask("/kept/7?note=a");
    const second = await ask("/kept/7?note=a");

    assert.equal(second.calls, first.calls);
    assert.equal(second.answer.headers.get("age"), "0");
    assert.equal(first.answer.headers.get("age"), null);
    const cid = (answer: Response) => answer.headers.get("x-dragoman-cid");
    assert.notEqual(cid(first.answer), cid(second.answer));
  });

  it("are kept apart by path, query and the headers that the channel names", async () => {
    const all = await Promise.all([
      ask("/kept/8"),
      ask("/kept/9"),
      ask("/kept/8?note=b"),
      ask("/kept/8", { "Accept-Language": "de" }),
    ]);
    assert.equal(new Set(all.map(({ calls }) => calls)).size, 4);
  });

  it("are made once for many who ask at the same time", async () => {
    const all = await Promise.all(Array.from({ length: 20 }, () => ask("/kept/10")));
    assert.equal(new Set(all.map(({ calls }) => calls)).size, 1);
  });

  it("are no failures, no answers to other methods, and nothing with a cookie", async () => {
    const bad = await worker.fetch("/kept/x");
    assert.equal(bad.status, 400);
    await bad.body?.cancel();
    const post = async () => {
      const answer = await worker.fetch("/kept/7", { method: "POST" });
      return (await answer.json()).calls;
    };
    assert.notEqual(await post(), await post());
    const cookies = [await ask("/kept-cookie"), await ask("/kept-cookie")];
    assert.notEqual(cookies[0]?.calls, cookies[1]?.calls);
  });

  it("are forgotten when the code that made them is replaced", async () => {
    const before = await ask("/kept/11");
    await worker.configure({ bundles: [await worker.bundle("edge.ts", `${services}\n// new`)] });

    const answer = await ask("/kept/11");

    assert.equal(answer.answer.headers.get("age"), null);
    assert.ok(before.answer.ok);
  });
});

describe("An audited channel", () => {
  it("writes a line for every request, whatever came of it", async () => {
    const good = await worker.fetch("/audited/5");
    const bad = await worker.fetch("/audited/x");
    for (const answer of [good, bad]) {
      await answer.body?.cancel();
      const cid = answer.headers.get("x-dragoman-cid")!;
      await worker.logged(cid);
      const line = worker.log.split("\n").find((text) =>
        text.includes(cid) && text.includes('"Request"')
      );
      const { status, path, method, remoteAddress } = JSON.parse(line ?? "{}");
      assert.equal(status, answer.status);
      assert.equal(method, "GET");
      assert.match(path, /^\/audited\//);
      assert.equal(remoteAddress, "127.0.0.1");
    }
  });
});

describe("openapi.json", () => {
  it("describes what is served, and nothing that is hidden", async () => {
    const answer = await worker.fetch("/dragoman/openapi.json");
    const document = await answer.json();

    assert.equal(document.openapi, "3.1.1");
    assert.equal(document.paths["/hidden/{id}"], undefined);
    const operation = document.paths["/cors/{id}"].put;
    assert.deepEqual(
      operation.parameters.map((one: { in: string; name: string }) => `${one.in} ${one.name}`),
      ["path id", "header Idempotency-Key"],
    );
    const { schema } = operation.requestBody.content["application/json"];
    assert.deepEqual(Object.keys(schema.properties), ["note"]);
    const get = document.paths["/cors/{id}"].get;
    assert.deepEqual(
      get.parameters.map((one: { in: string; name: string }) => `${one.in} ${one.name}`),
      ["path id", "query note"],
    );
  });

  it("has a page to try it, which loads nothing from elsewhere", async () => {
    const answer = await worker.fetch("/dragoman/docs");
    const html = await answer.text();

    assert.match(answer.headers.get("content-type") ?? "", /text\/html/);
    assert.match(answer.headers.get("content-security-policy") ?? "", /default-src 'none'/);
    assert.doesNotMatch(html, /https?:\/\//);
    for (const path of ["/dragoman/docs/page.js", "/dragoman/docs/page.css"]) {
      const file = await worker.fetch(path);
      assert.equal(file.status, 200, path);
      await file.body?.cancel();
    }
  });

  it("is not there where the server does not want it", async () => {
    await using silent = await WorkerProcess.start({ apiDocs: false });
    await silent.configure({});
    for (const path of ["/dragoman/openapi.json", "/dragoman/docs"]) {
      const answer = await silent.fetch(path);
      assert.equal(answer.status, 404);
      await answer.body?.cancel();
    }
  });
});

describe("The KVDB is gone", () => {
  it("leaves rate limits to each worker, and says so once", async () => {
    await redis.stop();
    const statuses: number[] = [];
    for (let index = 0; index < 5; index++) {
      const answer = await worker.fetch("/limited/1", from("203.0.113.9"));
      statuses.push(answer.status);
      await answer.body?.cancel();
    }
    assert.deepEqual(statuses, [200, 200, 200, 429, 429]);
    assert.equal(worker.log.split("Rate limits are counted by each worker").length, 2);
  });
});

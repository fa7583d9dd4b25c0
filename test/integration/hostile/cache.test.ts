import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { type JWTPayload, SignJWT } from "jose";
import { channel, WorkerProcess } from "../data-plane/worker-process.ts";
import { sealed } from "../security/sealed-object.ts";

const secret = randomBytes(32).toString("hex");
const cache = { ttlMs: 3_600_000 };

const services = `
let calls = 0;
export const seen = defineService({ name: "seen", handle({ input, request }) {
  const { principal, headers } = request;
  const { roles, subject, claims } = principal ?? {};
  return { calls: ++calls, input, roles, subject, mail: claims?.mail, host: headers.get("host") };
} });
export const sometimes = defineService({ name: "sometimes", handle({ input, response }) {
  if (input.what === "error") throw new ServiceError(404, "x");
  if (input.what === "crash") throw new Error("x");
  if (input.what === "status") response.status = 206;
  if (input.what === "redirect") response.status = 301;
  if (input.what === "nothing") return undefined;
  if (input.what === "large") return "x".repeat(300_000) + ++calls;
  if (input.what === "stream") {
    return (async function* () { yield String(++calls); })();
  }
  const [, name, value] = /^(.*?): (.*)$/.exec(input.what) ?? [];
  if (name !== undefined) response.headers.set(name, value);
  return ++calls;
} });
`;

function token(claims: JWTPayload): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg: "HS256" }).setExpirationTime("10m")
    .sign(new TextEncoder().encode(secret));
}

describe("Kept answers, under attack,", () => {
  let worker: WorkerProcess;

  before(async () => {
    worker = await WorkerProcess.start();
    const { failures } = await worker.configure({
      upserted: [
        await sealed("Jwt", "shared", { algorithms: ["HS256"], secret, rolesClaim: "roles" }),
        await sealed("ApiKey", "query", { query: "key", key: "cache-key-a-0123456789" }),
        await sealed("ApiKey", "other", { query: "key", key: "cache-key-b-0123456789" }),
        channel("/mine/{id}", "seen", { cache, security: ["shared"] }),
        channel("/keys", "seen", { cache, security: ["query", "other"] }),
        channel("/open/{rest*}", "seen", { cache }),
        channel("/formats", "seen", { cache, output: ["json", "xml"] }),
        channel("/sometimes", "sometimes", { cache, etag: true, compress: true }),
        channel("/few", "seen", { cache: { ...cache, entriesMax: 10 } }),
      ],
      bundles: [await worker.bundle("cache.ts", services)],
    });
    assert.deepEqual(failures, []);
  });
  after(() => worker[Symbol.asyncDispose]());

  async function calls(path: string, headers: Record<string, string> = {}): Promise<number> {
    const response = await worker.fetch(path, { headers });
    assert.equal(response.status, 200);
    return (await response.json()).calls;
  }

  const people: Readonly<Record<string, JWTPayload>> = {
    "Ana": { sub: "ana" },
    "Ana with a role": { sub: "ana", roles: ["admin"] },
    "Ana with another role": { sub: "ana", roles: ["reader"] },
    "Ana with both": { sub: "ana", roles: ["admin", "reader"] },
    "Ana of another tenant": { sub: "ana", tenant: "b" },
    "Bo": { sub: "bo" },
    "somebody without a name": { mail: "a@example.com" },
    "somebody else without a name": { mail: "b@example.com" },
    "somebody named like a list": { sub: '["ana"]' },
    "nobody": {},
  };

  for (const [name, claims] of Object.entries(people)) {
    it(`are not those of others, for ${name}`, async () => {
      const authorization = { Authorization: `Bearer ${await token(claims)}` };
      const own = await calls("/mine/1", authorization);
      const again = await calls("/mine/1", authorization);

      assert.equal(own, again);
      for (const [other, claims] of Object.entries(people)) {
        if (other === name) continue;
        const theirs = { Authorization: `Bearer ${await token(claims)}` };
        assert.notEqual(await calls("/mine/1", theirs), own, other);
      }
    });
  }

  it("are given to the same person with a newer token", async () => {
    const first = await token({ sub: "cy", iat: 1_700_000_000, jti: "one" });
    const next = await token({ sub: "cy", iat: 1_700_000_001, jti: "two" });

    const bearer = (text: string) => ({ Authorization: `Bearer ${text}` });
    assert.equal(await calls("/mine/2", bearer(first)), await calls("/mine/2", bearer(next)));
  });

  it("are not given without credentials, or with wrong ones", async () => {
    const good = await token({ sub: "ana" });
    await calls("/mine/3", { Authorization: `Bearer ${good}` });

    for (const value of ["", "Bearer", `Bearer ${good}x`, `Basic ${good}`, "Bearer null"]) {
      const response = await worker.fetch("/mine/3", { headers: { Authorization: value } });
      assert.equal(response.status, 401, value);
      await response.body?.cancel();
    }
  });

  it("are kept apart by keys in the query, which are no part of the address", async () => {
    const a = await calls("/keys?x=1&key=cache-key-a-0123456789");

    assert.equal(await calls("/keys?key=cache-key-a-0123456789&x=1"), a);
    assert.notEqual(await calls("/keys?x=1&key=cache-key-b-0123456789"), a);
  });

  it("are kept apart by what clients accept, where answers are", async () => {
    const json = await worker.fetch("/formats", { headers: { Accept: "application/json" } });
    const xml = await worker.fetch("/formats", { headers: { Accept: "application/xml" } });

    assert.match(json.headers.get("content-type") ?? "", /json/);
    assert.match(xml.headers.get("content-type") ?? "", /xml/);
    assert.match(await xml.text(), /^<\?xml|^</);
    await json.body?.cancel();
  });

  it("cannot be taken for another path or query by how these are written", async () => {
    const paths = [
      "/open/a",
      "/open/a?",
      "/open/a?x",
      "/open/a?x=",
      "/open/a?x=%26",
      "/open/a%2F",
      "/open/A",
      "/open/a;x",
      "/open/a%3Fx",
      "/open/a%22,%22x",
    ];
    const seen = new Map<number, string>();
    for (const path of paths) {
      const made = await calls(path);
      // An empty query is none.
      if (path !== "/open/a?") assert.equal(seen.get(made), undefined, path);
      seen.set(made, path);
    }
  });

  for (
    const [name, headers] of Object.entries({
      "X-Forwarded-Host": { "X-Forwarded-Host": "evil.example" },
      "X-Original-URL": { "X-Original-URL": "/admin" },
      "X-Rewrite-URL": { "X-Rewrite-URL": "/admin" },
      "X-HTTP-Method-Override": { "X-HTTP-Method-Override": "DELETE" },
      "X-Forwarded-Proto": { "X-Forwarded-Proto": "evil" },
      "Origin": { Origin: "https://evil.example" },
      "Range": { Range: "bytes=0-1" },
      "Cache-Control": { "Cache-Control": "no-store" },
      "Pragma": { Pragma: "no-cache" },
      "Cookie": { Cookie: "session=evil" },
      "If-None-Match": { "If-None-Match": '"evil"' },
      "X-Dragoman-Cid": { "X-Dragoman-Cid": "evil" },
      "traceparent": { traceparent: "00-evil" },
    })
  ) {
    it(`say nothing that a stranger put into ${name}`, async () => {
      const path = `/open/header-${name}`;
      const poisoned = await worker.fetch(path, { headers: headers as Record<string, string> });
      await poisoned.body?.cancel();

      const response = await worker.fetch(path);
      const text = `${JSON.stringify([...response.headers])} ${await response.text()}`;
      assert.equal(response.status, 200);
      assert.doesNotMatch(text, /evil/);
    });
  }

  it("are kept apart by the host that was asked", async () => {
    const port = worker.port;
    const { sendRaw } = await import("../data-plane/raw-http.ts");
    const ask = async (host: string) => {
      const text = `GET /open/host HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
      return JSON.parse((await sendRaw(port, text)).body).host;
    };

    assert.equal(await ask("evil.example"), "evil.example");
    assert.equal(await ask("shop.example"), "shop.example");
  });

  for (
    const what of [
      "error",
      "crash",
      "status",
      "redirect",
      "nothing",
      "large",
      "stream",
      "Set-Cookie: a=b",
      "Cache-Control: no-store",
      "Cache-Control: private",
      "Cache-Control: NO-CACHE",
      "Cache-Control: max-age=0",
      "Cache-Control: public, s-maxage=0",
      "Vary: *",
      "Vary: Cookie",
    ]
  ) {
    it(`are none where the service says or does "${what}"`, async () => {
      const ask = async () => {
        const response = await worker.fetch(`/sometimes?what=${encodeURIComponent(what)}`, {
          redirect: "manual",
        });
        await response.body?.cancel();
        return response.headers.get("age");
      };

      assert.deepEqual([await ask(), await ask(), await ask()], [null, null, null]);
    });
  }

  it("are no more than were allowed, however many addresses are asked for", async () => {
    const first = await calls("/few?n=first");
    for (let n = 0; n < 30; n++) await calls(`/few?n=${n}`);

    assert.notEqual(await calls("/few?n=first"), first);
  });

  it("are not made for ever for one who left, with others waiting", async () => {
    const answers = Array.from(
      { length: 50 },
      (_, n) =>
        worker.fetch("/open/leaving", { signal: AbortSignal.timeout(n % 2 === 0 ? 1 : 10_000) })
          .then((response) => response.text()).catch(() => "left"),
    );
    const texts = await Promise.all(answers);

    assert.ok(texts.filter((text) => text.includes("calls")).length >= 25);
  });
});

import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { loadConfig } from "../../src/config/component.ts";
import type { RunningComponent } from "../../src/config/running-component.ts";
import { webAdminConfigSchema } from "../../src/config/schemas.ts";
import { findFreePort } from "../../src/lib/ports.ts";
import { createLogger, silentLogger } from "../../src/telemetry/logger.ts";
import type { SessionView } from "../shared/session.ts";
import type { AdminClient } from "./admin-access.ts";
import { startConsole } from "./console.ts";
import { createWebAdmin } from "./create.ts";
import { sampleReadings, sampleServer } from "./overview/sample-readings.ts";
import { changePassword, createUser } from "./users.ts";

const credentials = { username: "ana", password: "correct horse" };

describe("the console's server", () => {
  let root: string;
  let directory: string;
  let origin: string;
  let port: number;
  let running: RunningComponent;
  let servers = [sampleServer("server1")];
  const log: string[] = [];
  /** What was asked of the cluster, but for its health. */
  const calls: { readonly what: string; readonly body?: unknown; readonly user?: unknown }[] = [];
  const answers: Record<string, unknown> = {};
  const ask = <T>(what: string, rest: object = {}): Promise<T> => {
    if (what !== "GET /v1/health") calls.push({ what, ...rest });
    return Promise.resolve(answers[what] as T); // the test says what the cluster answers
  };
  const client: AdminClient = {
    get: (path) => ask(`GET ${path}`),
    post: (path, body, options) =>
      ask(`POST ${path}`, {
        ...(body === undefined ? {} : { body }),
        user: options?.headers?.["X-Dragoman-User"],
      }),
    close() {},
  };

  before(async () => {
    root = await mkdtemp(join(tmpdir(), "console-"));
    directory = join(root, "web-admin");
    port = await findFreePort();
    origin = `http://127.0.0.1:${port}`;
    const adminUrls = ["https://127.0.0.1:17110"];
    const clusters = [{ name: "demo", environment: "production", adminUrls }] as const;
    await createWebAdmin(directory, { name: "web-admin", http: { port }, clusters });
    await createUser(directory, credentials);
    running = await startConsole({
      directory,
      config: await loadConfig(directory, webAdminConfigSchema),
      pagesDirectory: join(root, "dist"),
      logger: createLogger({ level: "debug", write: (line) => log.push(line) }),
      accessTo: ({ name, adminUrls }) => ({
        cluster: name,
        adminUrls: () => adminUrls,
        connect: () => Promise.resolve(client),
      }),
      openSource: () =>
        Promise.resolve({ look: () => Promise.resolve(sampleReadings({ servers })), close() {} }),
    });
  });

  after(async () => {
    await running.stop();
    await running.stop();
    await rm(root, { recursive: true, force: true });
  });

  function post(path: string, { body, headers }: { body?: unknown; headers?: HeadersInit } = {}) {
    return fetch(origin + path, {
      method: "POST",
      headers: { "Origin": origin, "Content-Type": "application/json", ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  async function logIn() {
    const response = await post("/api/login", { body: credentials });
    assert.equal(response.status, 200);
    const session: SessionView = await response.json();
    const setCookie = response.headers.get("Set-Cookie") ?? "";
    const [cookie = ""] = setCookie.split(";");
    return { session, setCookie, cookie };
  }

  async function problemOf(response: Response) {
    assert.equal(response.headers.get("Content-Type"), "application/problem+json");
    const { status, code } = await response.json();
    assert.equal(status, response.status);
    return { status, code };
  }

  it("takes an upload of a person who is logged in, larger than a login, and says who", async () => {
    const { session, cookie } = await logIn();
    const upload = { name: "a.ts", source: "x".repeat(100_000) };
    const path = "/api/clusters/demo/deployments";
    const headers = { "Cookie": cookie, "X-Dragoman-Csrf": session.csrfToken };
    answers["POST /v1/deployments/source"] = { outcome: "deployed", revision: 8 };

    const stranger = await post(path, { body: upload });
    const forged = await post(path, { body: upload, headers: { Cookie: cookie } });
    const elsewhere = await post("/api/clusters/other/deployments", { body: upload, headers });
    const taken = await post(path, { body: upload, headers });

    assert.equal((await problemOf(stranger)).code, "WEB_ADMIN_NO_SESSION");
    assert.equal((await problemOf(forged)).code, "WEB_ADMIN_CROSS_SITE");
    assert.equal((await problemOf(elsewhere)).code, "WEB_ADMIN_NO_CLUSTER");
    assert.equal(taken.status, 200);
    assert.equal((await taken.json()).outcome, "deployed");
    const what = "POST /v1/deployments/source";
    assert.deepEqual(calls.splice(0), [{ what, body: upload, user: credentials.username }]);
  });

  it("passes on what people ask of jobs, and who does", async () => {
    const { session, cookie } = await logIn();
    const path = "/api/clusters/demo/jobs";
    const headers = { "Cookie": cookie, "X-Dragoman-Csrf": session.csrfToken };
    answers["GET /v1/jobs?state=paused"] = [{ name: "a/b" }];
    answers["GET /v1/leases"] = [];

    const stranger = await fetch(`${origin}${path}`);
    const list = await fetch(`${origin}${path}?state=paused`, { headers });
    const leases = await fetch(`${origin}/api/clusters/demo/leases`, { headers });
    const forged = await post(`${path}/a%2Fb/run`, { headers: { Cookie: cookie } });
    const unknown = await post(`${path}/a%2Fb/delete`, { headers });
    const paused = await post(`${path}/a%2Fb/pause`, { headers });

    assert.equal((await problemOf(stranger)).code, "WEB_ADMIN_NO_SESSION");
    assert.deepEqual([await list.json(), await leases.json()], [[{ name: "a/b" }], []]);
    assert.equal((await problemOf(forged)).code, "WEB_ADMIN_CROSS_SITE");
    assert.equal((await problemOf(unknown)).code, "WEB_ADMIN_NO_ROUTE");
    assert.equal(paused.status, 204);
    assert.deepEqual(calls.splice(0), [
      { what: "GET /v1/jobs?state=paused" },
      { what: "GET /v1/leases" },
      { what: "POST /v1/jobs/a%2Fb/pause", user: credentials.username },
    ]);
  });

  it("says how to build the pages when they are missing, and serves them once they are there", async () => {
    const missing = await fetch(`${origin}/clusters/demo`);
    assert.equal(missing.status, 503);
    assert.match(await missing.text(), /npm run build -w web-admin/);

    await mkdir(join(root, "dist", "assets"), { recursive: true });
    await writeFile(join(root, "dist", "assets", "main-abc.js"), "console.log(1)");
    await writeFile(join(root, "dist", "index.html"), '<script nonce="__CSP_NONCE__"></script>');

    const page = await fetch(`${origin}/clusters/demo`);
    assert.equal(page.status, 200);
    assert.equal(page.headers.get("Cache-Control"), "no-cache");
    const nonce = /nonce="([^"]{20,})"/.exec(await page.text())?.[1];
    const policy = page.headers.get("Content-Security-Policy") ?? "";
    assert.ok(policy.includes(`style-src 'self' 'nonce-${nonce}'`), policy);
    assert.ok(policy.includes("script-src 'self';"), policy);
    assert.ok(policy.includes("frame-ancestors 'none'"), policy);
    assert.equal(page.headers.get("X-Content-Type-Options"), "nosniff");
  });

  it("lets browsers keep hashed files for ever", async () => {
    const response = await fetch(`${origin}/assets/main-abc.js`);

    assert.equal(await response.text(), "console.log(1)");
    assert.match(response.headers.get("Cache-Control") ?? "", /immutable/);
    assert.equal(response.headers.get("Content-Type"), "text/javascript; charset=utf-8");
  });

  it("serves nothing but the built pages", async () => {
    for (const path of ["/assets/../../web-admin/config.yaml", "/assets/gone.js", "//x.yaml"]) {
      assert.equal(await statusOfRawPath(port, path), 404, path);
    }
  });

  it("answers /healthz to anyone", async () => {
    const response = await fetch(`${origin}/healthz`);

    assert.deepEqual([response.status, await response.json()], [200, { state: "up" }]);
  });

  it("logs in with a cookie that scripts and other sites do not get", async () => {
    const { session, setCookie } = await logIn();

    assert.match(setCookie, /; Path=\/; HttpOnly; SameSite=Strict$/);
    assert.equal(session.username, "ana");
    assert.deepEqual(session.clusters, [{ name: "demo", environment: "production" }]);
  });

  it("begins a new session at every login and ends the one of before", async () => {
    const first = await logIn();
    const response = await post("/api/login", {
      body: credentials,
      headers: { Cookie: first.cookie },
    });
    const second = (response.headers.get("Set-Cookie") ?? "").split(";")[0] ?? "";

    assert.notEqual(second, first.cookie);
    assert.equal(await sessionOf(first.cookie), null);
    assert.equal((await sessionOf(second))?.username, "ana");
  });

  it("answers an unknown user and a wrong password alike", async () => {
    const bodies = [
      { username: "nobody", password: "correct horse" },
      { username: "ana", password: "wrong horse" },
    ];
    const answers = await Promise.all(bodies.map(async (body) => {
      const response = await post("/api/login", { body });
      const { cid: _, ...problem } = await response.json();
      return { status: response.status, problem };
    }));

    assert.equal(answers[0]?.status, 401);
    assert.deepEqual(answers[0], answers[1]);
  });

  it("makes a guesser wait", async () => {
    const body = { username: "eve", password: "wrong horse" };
    for (let i = 0; i < 5; i++) assert.equal((await post("/api/login", { body })).status, 401);

    const response = await post("/api/login", { body });

    const seconds = Number(response.headers.get("Retry-After"));
    assert.ok(seconds > 0 && seconds <= 15, String(seconds));
    assert.deepEqual(await problemOf(response), { status: 429, code: "WEB_ADMIN_LOCKED" });
  });

  it("refuses logins that another site sends", async () => {
    const strangers = [{ Origin: "https://evil.example" }, { "Sec-Fetch-Site": "cross-site" }];
    for (const headers of strangers) {
      const response = await post("/api/login", { body: credentials, headers });
      assert.deepEqual(await problemOf(response), { status: 403, code: "WEB_ADMIN_CROSS_SITE" });
    }
    const form = await post("/api/login", {
      body: credentials,
      headers: { "Content-Type": "text/plain" },
    });
    assert.equal(form.status, 400);
    const silent = await fetch(`${origin}/api/login`, { method: "POST", body: "{}" });
    assert.equal(silent.status, 403);
  });

  it("refuses a log out without the session's token", async () => {
    const { cookie, session } = await logIn();
    const without = await post("/api/logout", { headers: { Cookie: cookie } });

    assert.deepEqual(await problemOf(without), { status: 403, code: "WEB_ADMIN_CROSS_SITE" });
    assert.notEqual(await sessionOf(cookie), null);

    const headers = { Cookie: cookie, "X-Dragoman-Csrf": session.csrfToken };
    assert.equal((await post("/api/logout", { headers })).status, 204);
    assert.equal(await sessionOf(cookie), null);
  });

  const badBodies = [
    { body: "{", status: 400, code: "WEB_ADMIN_BODY_INVALID" },
    { body: '{"username":"ana"}', status: 400, code: "WEB_ADMIN_BODY_INVALID" },
    {
      body: '{"username":"ana","password":"x","y":1}',
      status: 400,
      code: "WEB_ADMIN_BODY_INVALID",
    },
    { body: `"${"x".repeat(16_384)}"`, status: 413, code: "WEB_ADMIN_BODY_TOO_LARGE" },
  ];
  for (const { body, status, code } of badBodies) {
    it(`refuses the body ${body.slice(0, 40)} with ${code}`, async () => {
      const headers = { "Origin": origin, "Content-Type": "application/json" };
      const response = await fetch(`${origin}/api/login`, { method: "POST", headers, body });

      assert.deepEqual(await problemOf(response), { status, code });
    });
  }

  it("shows clusters to nobody who is not logged in", async () => {
    for (const path of ["overview", "events"]) {
      const response = await fetch(`${origin}/api/clusters/demo/${path}`);
      assert.deepEqual(await problemOf(response), { status: 401, code: "WEB_ADMIN_NO_SESSION" });
    }
  });

  it("names its clusters when asked for another one", async () => {
    const { cookie } = await logIn();
    const response = await fetch(`${origin}/api/clusters/x/overview`, { headers: { cookie } });
    const { detail, advice } = await response.json();

    assert.equal(response.status, 404);
    assert.match(detail, /"x"/);
    assert.match(advice, /demo/);
  });

  it("gives the overview, which nobody may store", async () => {
    const { cookie } = await logIn();
    const response = await fetch(`${origin}/api/clusters/demo/overview`, { headers: { cookie } });

    assert.equal(response.headers.get("Cache-Control"), "no-store");
    const overview = await response.json();
    assert.equal(overview.cluster, "demo");
    assert.equal(overview.environment, "production");
  });

  it("streams changes, and ends the stream with the session", async () => {
    const { cookie } = await logIn();
    const response = await fetch(`${origin}/api/clusters/demo/events`, { headers: { cookie } });
    assert.equal(response.headers.get("Content-Type"), "text/event-stream");
    const text = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    const readUntil = textReader(text);

    await readUntil(/event: overview\ndata: .*server1/);
    servers = [sampleServer("server1"), sampleServer("server2")];
    await readUntil(/event: overview\ndata: .*"name":"server2"/);
    // As the CLI does it, in another process: it knows nothing of this stream.
    await changePassword(directory, credentials);
    servers = [sampleServer("server1")];
    await readUntil(/event: session-ended\n/);
    await readUntil(undefined);
  });

  it("knows which paths and methods it has", async () => {
    assert.equal((await fetch(`${origin}/api/nothing`)).status, 404);
    assert.equal((await fetch(`${origin}/api/login`)).status, 405);
    assert.equal((await post("/")).status, 405);
    assert.equal((await fetch(`${origin}/api/clusters/%E0%A4%A/overview`)).status, 404);
  });

  it("logs who came in, and no password and no token", async () => {
    const { cookie, session } = await logIn();
    const text = log.join("\n");

    assert.match(text, /"msg":"logged in","user":"ana","address":"127.0.0.1"/);
    for (const secret of ["correct horse", cookie.split("=")[1]!, session.csrfToken, "nobody"]) {
      assert.equal(text.includes(secret), false, secret);
    }
  });

  it("says which port is taken", async () => {
    const holder = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => holder.once("listening", resolve));
    const address = holder.address();
    const taken = typeof address === "object" ? address?.port ?? 0 : 0;
    const config = await loadConfig(directory, webAdminConfigSchema);
    const starting = startConsole({
      directory,
      config: { ...config, http: { host: "127.0.0.1", port: taken } },
      pagesDirectory: join(root, "dist"),
      logger: silentLogger,
      accessTo: ({ name }) => ({
        cluster: name,
        adminUrls: () => [],
        connect: () => Promise.reject(new Error("not needed")),
      }),
      openSource: () => Promise.reject(new Error("not needed")),
    });

    await assert.rejects(starting, {
      code: "WEB_ADMIN_CANNOT_LISTEN",
      message: new RegExp(`127.0.0.1:${taken}`),
    });
    holder.close();
  });

  async function sessionOf(cookie: string): Promise<SessionView | null> {
    const response = await fetch(`${origin}/api/session`, { headers: { cookie } });
    return await response.json();
  }
});

/** Reads a stream until its text matches; undefined: until its end. */
function textReader(reader: ReadableStreamDefaultReader<string>) {
  let text = "";
  return async (pattern: RegExp | undefined): Promise<void> => {
    while (pattern === undefined || !pattern.test(text)) {
      const { done, value } = await reader.read();
      if (done && pattern === undefined) return;
      assert.equal(done, false, `the stream ended without ${pattern}: ${text}`);
      text += value;
    }
    text = "";
  };
}

/** The status for a path that is sent as it is; `fetch` would tidy it up first. */
function statusOfRawPath(port: number, path: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ port, path, host: "127.0.0.1" }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    request.once("error", reject).end();
  });
}

import assert from "node:assert/strict";
import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { loadEnvironmentAt, withAdmin } from "../../src/cli/cluster/environment.ts";
import { isPlatformError, reasonOf } from "../../src/errors/platform-error.ts";
import { poll } from "../../src/lib/wait.ts";
import type { BalancerStatus } from "../../src/load-balancer/api.ts";
import type { JsonClient } from "../../src/mtls/client.ts";
import { sendRaw } from "../integration/data-plane/raw-http.ts";
import { type Rig, startRig } from "../integration/load-balancer/embedded-rig.ts";
import {
  asSpec,
  badCode,
  badDocuments,
  badNames,
  deep,
  define,
  document,
  oddNames,
  paths,
  random,
  rest,
  sourceNames,
} from "./hostile-changes.ts";
import {
  behind,
  close,
  disguises,
  hiddenPaths,
  host,
  mayPass,
  smuggling,
} from "./hostile-requests.ts";
import { type Quickstart, startQuickstart } from "./quickstart.ts";

const secrets = {
  key: random(),
  queryKey: random(),
  password: random(),
  signing: random(),
  config: random(),
  outgoing: random(),
};

let cluster: Quickstart;
let embedded: Rig;
let admin: JsonClient;
let closeAdmin: () => void;
/** Everything that anybody was answered. */
const answers: string[] = [];

const code = `
const { defineService, ServiceError, z } = globalThis[Symbol.for("dragoman.module")];
let smuggled = 0;
export const a = defineService({ name: "hostile.echo", rawBody: true,
  handle: ({ request }) => ({ body: String(request.rawBody.length), address: request.remoteAddress }) });
export const b = defineService({ name: "hostile.smuggled", handle: () => ++smuggled });
export const c = defineService({ name: "hostile.config",
  handle: ({ config, input }) => ({ values: Object.keys(config(input.name).values) }) });
export const d = defineService({ name: "hostile.async", handle: async ({ invokeAsync, input }) => {
  const { options } = input;
  for (const [key, value] of Object.entries(options)) if (value === "NaN") options[key] = NaN;
  return await invokeAsync("hostile.echo", {}, options);
} });
export const e = defineService({ name: "hostile.lock", handle: ({ lock, input }) => lock("x", input, () => 1) });
export const f = defineService({ name: "constructor", handle: () => "constructed" });
export const g = defineService({ name: "toString", handle: () => "told" });
export const h = defineService({ name: "hostile.deep", handle() {
  let a = 1; for (let n = 0; n < 100_000; n++) a = [a]; return a;
} });
`;

const apply = (...objects: unknown[]) => admin.post<unknown>("/v1/apply", { objects });

before(async () => {
  cluster = await startQuickstart(["--balancer", "haproxy", "--servers", "1"]);
  const opened = Promise.withResolvers<JsonClient>();
  const closed = Promise.withResolvers<void>();
  closeAdmin = closed.resolve;
  const environment = await loadEnvironmentAt(cluster.directory);
  void withAdmin(environment, (client) => {
    opened.resolve(client);
    return closed.promise;
  }).catch(opened.reject);
  admin = await opened.promise;
  await admin.post("/v1/deployments", { files: [{ name: "hostile.ts", code, sourceMap: "{}" }] });
  const files = join(cluster.directory, "www");
  await mkdir(join(files, "inner"), { recursive: true });
  await writeFile(join(cluster.directory, "outside.txt"), "OUTSIDE");
  await writeFile(join(files, "inside.txt"), "INSIDE");
  await writeFile(join(files, ".hidden"), "OUTSIDE");
  await symlink(join(cluster.directory, "outside.txt"), join(files, "link.txt"));
  await symlink(cluster.directory, join(files, "up"));
  await symlink("loop", join(files, "loop"));
  await apply(
    document("ApiKey", "key", { key: secrets.key }),
    document("ApiKey", "query", { query: "key", key: secrets.queryKey }),
    document("BasicAuth", "basic", { username: "ana", password: secrets.password }),
    document("Jwt", "jwt", { algorithms: ["HS256"], secret: secrets.signing }),
    document("UserConfig", "config", { values: { a: 1 }, secret: secrets.config }),
    document("RateLimit", "three", { by: "address", requests: 3, perMs: 3_600_000 }),
    rest("echo", { path: "/h/echo", service: "hostile.echo" }),
    rest("smuggled", { path: "/h/smuggled", service: "hostile.smuggled" }),
    rest("limited", { path: "/h/limited", service: "hostile.echo", rateLimits: ["three"] }),
    rest("secured", {
      path: "/h/secured",
      service: "hostile.echo",
      security: ["key", "query", "basic", "jwt"],
    }),
    rest("files", { path: "/h/files/{path*}", methods: ["GET"], files: { directory: files } }),
  );
  const port = Number(new URL(cluster.servers[0]!.url).port);
  embedded = await startRig([{ name: "server1", host: "127.0.0.1", port, draining: false }]);
  await embedded.until("server1", "up");
  const up = await poll(async () => {
    const { servers } = await cluster.json<BalancerStatus>("lb", "status");
    return servers.every(({ state }) => state === "up") || undefined;
  }, { timeoutMs: 20_000, intervalMs: 200 });
  assert.ok(up);
});

after(async () => {
  closeAdmin?.();
  await embedded?.[Symbol.asyncDispose]();
  await cluster?.[Symbol.asyncDispose]();
});

type Door = "HAProxy" | "the embedded balancer" | "a worker";
const doors: readonly Door[] = ["HAProxy", "the embedded balancer", "a worker"];

function portOf(door: Door): number {
  if (door === "the embedded balancer") return embedded.port;
  return Number(new URL(door === "HAProxy" ? cluster.balancerUrl : cluster.servers[0]!.url).port);
}

async function raw(door: Door, text: string) {
  const answer = await sendRaw(portOf(door), Buffer.from(text, "latin1"));
  answers.push(answer.head, answer.body);
  return answer;
}

describe("Requests that hide another one behind them", () => {
  for (const door of doors) {
    for (const [name, text] of Object.entries(smuggling)) {
      it(`do not get it through ${door} by ${name}`, async () => {
        const before = (await raw("a worker", behind)).body;
        const answer = await raw(door, text + behind);
        const afterwards = (await raw("a worker", behind)).body;

        assert.notEqual(answer.status, 500);
        const reached = Number(afterwards) - Number(before) - 1;
        if (!mayPass.test(name)) assert.equal(reached, 0, `${answer.head}\n\n${answer.body}`);
        assert.ok(reached <= 1);
      });
    }
  }
});

describe("Files", () => {
  for (const door of doors) {
    for (const path of hiddenPaths) {
      it(`outside of their directory are out of reach of ${door}, by ${path.slice(0, 40)}`, async () => {
        const answer = await raw(door, `GET /h/files/${path} HTTP/1.1\r\n${host}${close}\r\n`);

        assert.match(String(answer.status), /^(301|308|400|404|414|431)$/, answer.body);
        assert.doesNotMatch(answer.body, /OUTSIDE|INSIDE|root:/);
      });
    }
  }

  it("inside are served", async () => {
    for (const door of doors) {
      const text = `GET /h/files/inside.txt HTTP/1.1\r\n${host}${close}\r\n`;
      assert.equal((await raw(door, text)).body, "INSIDE");
    }
  });
});

describe("A rate limit by address", () => {
  for (const door of doors.slice(0, 2)) {
    for (const disguise of disguises) {
      it(`is not escaped through ${door} by ${disguise.replaceAll("\r\n", " and ")}`, async () => {
        const lines = /^connection:/i.test(disguise) ? "" : close;
        const text = `GET /h/limited HTTP/1.1\r\n${host}${lines}${disguise}\r\n\r\n`;
        let status = 0;
        for (let n = 0; n < 4; n++) status = (await raw(door, text)).status;

        assert.equal(status, 429);
      });
    }
  }
});

/** Must fail with an error for whoever did it, and not for us. */
async function refused(work: () => Promise<unknown>): Promise<void> {
  try {
    const answer = await work();
    assert.fail(`It was taken: ${JSON.stringify(answer).slice(0, 500)}`);
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error;
    answers.push(reasonOf(error));
    assert.ok(isPlatformError(error), reasonOf(error));
    assert.ok(error.kind === "input" || error.kind === "state", `${error.code}: ${error.message}`);
    assert.ok(error.message.length < 5_000, `${error.code}: ${error.message.length} characters`);
  }
}

describe("Operators who apply", () => {
  for (const name of badNames) {
    const shown = JSON.stringify(name).slice(0, 40);
    it(`an object named ${shown} are refused`, () =>
      refused(() => apply(document("UserConfig", name, { values: {} }))));
  }

  for (const [name, one] of Object.entries(badDocuments)) {
    it(`${name} are refused`, () => refused(() => apply(one)));
  }

  for (const name of oddNames) {
    it(`an object named ${name} find it, and services do, and delete it`, async () => {
      await apply(document("UserConfig", name, { values: { constructor: 1, toString: 2 } }));

      const path = `/v1/objects/UserConfig/${encodeURIComponent(name)}`;
      const found = await admin.get<{ name: string; spec: unknown }>(path);
      assert.equal(found.name, name);
      const invoked = await admin.post<{ output: unknown }>("/v1/services/hostile.config/invoke", {
        input: { name },
      });
      assert.deepEqual(invoked.output, { values: ["constructor", "toString"] });
      await admin.delete(path);
      await refused(() => admin.get(path));
    });
  }

  it("an object twice are refused", () => refused(() => apply(asSpec({}), asSpec({}))));

  it("half of what is wrong have changed nothing", async () => {
    await refused(() => apply(asSpec({ values: {} }), document("UserConfig", "__proto__")));

    await refused(() => admin.get("/v1/objects/UserConfig/hostile"));
  });
});

const deployCode = (name: string, text: string) =>
  admin.post<{ outcome: string; servers: { outcome: string; reason?: string }[] }>(
    "/v1/deployments",
    { files: [{ name, code: text, sourceMap: "{}" }] },
  );
describe("Operators who deploy", () => {
  for (const name of sourceNames) {
    it(`a file named ${JSON.stringify(name).slice(0, 40)} are refused`, () =>
      refused(() => deployCode(name, define('"x"'))));
  }

  for (const [name, text] of Object.entries(badCode)) {
    it(`code ${name} change nothing`, async () => {
      let outcome: string;
      try {
        const result = await deployCode("bad.ts", text);
        outcome = result.outcome;
        answers.push(JSON.stringify(result));
      } catch (error) {
        assert.ok(isPlatformError(error) && error.kind === "input", reasonOf(error));
        outcome = "rejected";
      }
      assert.equal(outcome, "rejected");
      await refused(() => admin.get("/v1/deployments/bad.ts"));
    });
  }

  it("10 MB of code have it running", async () => {
    const text = `${define('"hostile.large"')}\n/* ${"x".repeat(10 * 1024 * 1024)} */`;
    assert.equal((await deployCode("large.ts", text)).outcome, "deployed");
  });

  it("more than any service has are refused", () =>
    refused(() => deployCode("huge.ts", `/* ${"x".repeat(80 * 1024 * 1024)} */`)));
});

describe("Operators who ask", () => {
  for (const path of paths) it(`for ${path} are refused`, () => refused(() => admin.get(path)));

  for (const name of ["__proto__", "hasOwnProperty", "..", "%00", "a".repeat(4_000), "nothing"]) {
    it(`for the service ${name.slice(0, 20)} are refused`, () =>
      refused(() => admin.post(`/v1/services/${encodeURIComponent(name)}/invoke`, { input: {} })));
  }

  for (const [name, output] of [["constructor", "constructed"], ["toString", "told"]] as const) {
    it(`for the service ${name} get what it answers`, async () => {
      const path = `/v1/services/${name}/invoke`;
      assert.equal((await admin.post<{ output: unknown }>(path, { input: {} })).output, output);
    });
  }

  for (const levels of [201, 5_000, 100_000]) {
    it(`with an input that nests ${levels} times are refused`, () =>
      refused(() => admin.post("/v1/services/hostile.echo/invoke", { input: deep(levels) })));
  }

  it("for an output that nests without end hear that it cannot be written", async () => {
    await assert.rejects(admin.post("/v1/services/hostile.deep/invoke", { input: {} }), {
      code: "SERVICE_OUTPUT_NOT_JSON",
    });
  });

  const invocations: Readonly<Record<string, Record<string, unknown>>> = {
    "a negative delay": { delayMs: -1 },
    "a delay beyond all times": { delayMs: 1e300 },
    "a delay of a text": { delayMs: "1" },
    "no attempts": { attempts: 0 },
    "half an attempt": { attempts: 1.5 },
    "attempts beyond all numbers": { attempts: 1e300 },
    "a negative pause": { retryMs: -1 },
    "a pause beyond all times": { retryMs: 1e300 },
    "a callback that there is not": { callback: "__proto__" },
    "a service that there is not": { service: "__proto__" },
    "a member that there is not": { admin: true },
    "an input that nests too deep": { input: deep(100_000) },
    "a service that is a list": { service: ["hostile.echo"] },
  };
  for (const [name, more] of Object.entries(invocations)) {
    it(`for a later invocation with ${name} are refused`, () =>
      refused(() =>
        admin.post("/v1/invocations", { service: "hostile.echo", input: {}, ...more })
      ));
    // Half an attempt is rounded.
    if (/nests|member|service that|half/.test(name)) continue;
    it(`are told when a service invokes later with ${name}`, async () => {
      const input = { options: more };
      await assert.rejects(
        admin.post("/v1/services/hostile.async/invoke", { input }),
        (error) => isPlatformError(error) && error.code !== "INTERNAL" && error.kind !== "peer",
      );
    });
  }

  for (
    const times of [
      { ttlMs: -1 },
      { ttlMs: 0 },
      { ttlMs: 1e300 },
      { ttlMs: "x" },
      { waitMs: "x" },
    ]
  ) {
    it(`are told when a service locks for ${JSON.stringify(times)}`, async () => {
      await assert.rejects(
        admin.post("/v1/services/hostile.lock/invoke", { input: times }),
        (error) => isPlatformError(error) && error.code !== "INTERNAL" && error.kind !== "peer",
      );
    });
  }
});

describe("Credentials", () => {
  const { key, queryKey, password, signing } = secrets;
  const basic = Buffer.from(`ana:${password}`).toString("base64");
  const tries: Readonly<Record<string, readonly [target: string, headers: string, body?: string]>> =
    {
      "a key as a bearer": ["/h/secured", `Authorization: Bearer ${key}`],
      "a key with a blank": ["/h/secured", `X-API-Key: ${key} x`],
      "a key in the wrong header": ["/h/secured", `X-Api-Token: ${key}`],
      "a key in the wrong query": [`/h/secured?apikey=${key}`, "X: 1"],
      "a query key twice": [`/h/secured?key=${queryKey}&key=${queryKey}`, "X: 1"],
      "a key in the path": [`/h/secured/${key}`, "X: 1"],
      "a key in a cookie": ["/h/secured", `Cookie: X-API-Key=${key}`],
      "a key in the method": [`/h/secured`, "X: 1", key],
      "a password in the wrong scheme": ["/h/secured", `Authorization: Bearer ${basic}`],
      "a password without a user": [
        "/h/secured",
        `Authorization: Basic ${Buffer.from(`:${password}`).toString("base64")}`,
      ],
      "a password in clear": ["/h/secured", `Authorization: Basic ana:${password}`],
      "a password in the address": [`http://ana:${password}@shop.example/h/secured`, "X: 1"],
      "a signing key as a token": ["/h/secured", `Authorization: Bearer ${signing}`],
      "a signing key as three parts": ["/h/secured", `Authorization: Bearer a.${signing}.b`],
      "two of them": [
        "/h/secured",
        `Authorization: Basic ${basic}\r\nAuthorization: Bearer ${key}`,
      ],
      "a key as JSON": ["/h/secured", "Content-Type: application/json", `{"key":"${queryKey}"`],
      "a key in a traceparent": ["/h/secured", `traceparent: ${key}`],
      "a key in a forwarded address": ["/h/secured", `X-Forwarded-For: ${key}`],
      "a key in an origin": ["/h/secured", `Origin: https://${key}.example`],
    };
  for (const door of doors) {
    for (const [name, [target, headers, body = ""]] of Object.entries(tries)) {
      it(`do not open ${door} as ${name}`, async () => {
        const length = `Content-Length: ${body.length}\r\n`;
        const text = `POST ${target} HTTP/1.1\r\n${host}${close}${length}${headers}\r\n\r\n${body}`;
        const answer = await raw(door, text);

        assert.match(String(answer.status), /^(400|401|404|503)$/, answer.body);
      });
    }
  }

  it("open the door as they should", async () => {
    const ways = [
      ["/h/secured", `X-API-Key: ${key}`],
      [`/h/secured?key=${queryKey}`, "X: 1"],
      ["/h/secured", `Authorization: Basic ${basic}`],
    ] as const;
    for (const door of doors) {
      for (const [target, header] of ways) {
        const text = `GET ${target} HTTP/1.1\r\n${host}${close}${header}\r\n\r\n`;
        assert.equal((await raw(door, text)).status, 200);
      }
    }
  });
});

describe("After all of that", () => {
  it("the same processes serve", async () => {
    const text = `GET /h/echo HTTP/1.1\r\n${host}${close}\r\n`;
    for (const door of doors) assert.equal((await raw(door, text)).status, 200);
    const components = await cluster.components();
    assert.deepEqual(new Set(components.map(({ state }) => state)), new Set(["running"]));
  });

  it("no log speaks of a crash, and none and no answer holds a secret", async () => {
    const basic = Buffer.from(`ana:${secrets.password}`).toString("base64");
    const hidden = [...Object.values(secrets), basic];
    let lines = 0;
    for (const path of await filesBelow(cluster.directory, "log")) {
      const text = await readFile(path, "utf8");
      lines += text.split("\n").length;
      for (const secret of hidden) assert.ok(!text.includes(secret), `${path} holds ${secret}`);
      assert.doesNotMatch(text, /Uncaught|Unhandled|overflowed|panicked|fatal runtime/, path);
      assert.doesNotMatch(text, /Worker (died|ended|exited)/i, path);
    }
    assert.ok(lines > 20, `only ${lines} lines`);
    for (const answer of answers) {
      for (const secret of hidden) assert.ok(!answer.includes(secret), answer.slice(0, 300));
    }
  });
});

async function filesBelow(directory: string, folder: string): Promise<readonly string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile() && entry.parentPath.endsWith(`/${folder}`))
    .map((entry) => join(entry.parentPath, entry.name));
}

import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { describe, it } from "node:test";
import { loadBalancerConfigSchema } from "../../config/schemas.ts";
import { isPlatformError } from "../../errors/platform-error.ts";
import { createModel, type HaproxyServer } from "./model.ts";
import { renderHaproxyConfig } from "./render.ts";

const runtime = {
  socket: "/run/dragoman/haproxy.sock",
  serverState: "/run/dragoman/haproxy.state",
};

function config(changes: Readonly<Record<string, unknown>> = {}) {
  return loadBalancerConfigSchema.parse({
    name: "balancer",
    cluster: "demo",
    engine: "haproxy",
    http: { host: "127.0.0.1", port: 11223 },
    agent: { host: "127.0.0.1", port: 20151 },
    ...changes,
  });
}

function server(name: string, port: number, more: Partial<HaproxyServer> = {}): HaproxyServer {
  return {
    name,
    ip: "127.0.0.1",
    port,
    draining: false,
    maintenance: false,
    weight: 100,
    ...more,
  };
}

const cases = [
  { name: "no-servers", config: config(), servers: [] },
  {
    name: "two-servers",
    config: config(),
    // Rendered in the order of their names, whatever order they came in.
    servers: [server("server2", 17011), server("server1", 17010)],
  },
  {
    name: "every-option",
    user: "haproxy",
    config: config({
      http: { host: "::", port: 80 },
      healthCheck: { intervalMs: 500, rise: 2, fall: 3 },
      timeouts: {
        connectMs: 1,
        clientMs: 2,
        serverMs: 3,
        headersMs: 4,
        keepAliveMs: 5,
        tunnelMs: 6,
        bodyMs: 7,
      },
      retries: 0,
      maxConnections: 100,
      limits: {
        connectionsPerAddress: 8,
        requestsPerAddress: 9,
        ratePeriodMs: 2_500,
        headerBytes: 8_192,
      },
    }),
    servers: [
      server("draining", 17010, { draining: true }),
      server("other.machine", 17010, { ip: "10.0.0.7", weightPort: 17200 }),
      server("sixth", 17010, { ip: "2001:db8::6" }),
    ],
  },
];

describe("renderHaproxyConfig", () => {
  for (const { name, config, servers, user } of cases) {
    it(`renders ${name} as the golden file has it`, async () => {
      const file = new URL(`../../../test/golden/haproxy/${name}.cfg`, import.meta.url).pathname;

      const text = renderHaproxyConfig(createModel(config, { servers, runtime, user }));

      if (process.env["UPDATE_GOLDEN"] === "1") {
        await mkdir(dirname(file), { recursive: true });
        await writeFile(file, text);
      }
      assert.equal(text, await readFile(file, "utf8"));
    });
  }

  it("refuses to listen on what is no host", () => {
    for (
      const host of ["", "a b", "127.0.0.1\n  bind *:1", "10.0.0.256", "fe80::1%eth0", "[::1]"]
    ) {
      const bad = { ...config(), http: { host, port: 80 } };
      assert.throws(
        () => createModel(bad, { servers: [], runtime }),
        (error) => isPlatformError(error, "BALANCER_BAD_LISTEN"),
        host,
      );
    }
  });
});

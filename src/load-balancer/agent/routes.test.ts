import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isPlatformError } from "../../errors/platform-error.ts";
import type { Identity } from "../../mtls/identity.ts";
import type { ApiRequest, Route } from "../../mtls/json-api.ts";
import { createAgentRoutes } from "./routes.ts";

const calls: string[] = [];
const routes = createAgentRoutes({
  servers: {
    register: async (name, { host, port }) => void calls.push(`register ${name} ${host} ${port}`),
    leave: async (name) => void calls.push(`leave ${name}`),
    setDraining: async (name, draining) => void calls.push(`draining ${name} ${draining}`),
  },
  status: () => Promise.reject(new Error("not asked for here")),
  config: () => ({ engine: "haproxy", text: "" }),
  check: async () => {},
  reload: async () => {},
});

function find(operation: string): Route {
  const route = routes.find(({ method, path }) => `${method} ${path}` === operation);
  assert.ok(route, operation);
  return route;
}

function requestOf(peer: Identity, name: string, body?: unknown): ApiRequest {
  const { signal } = new AbortController();
  return { peer, params: { name }, query: new URLSearchParams(), headers: {}, body, signal };
}

const server1: Identity = { cluster: "demo", role: "server", name: "server1" };
const operator: Identity = { cluster: "demo", role: "operator", name: "ana" };
const address = { host: "127.0.0.1", port: 17010 };

/** Operations on one server, and what they come to. */
const changes: readonly [operation: string, call: string][] = [
  ["PUT /v1/servers/:name", "register server1 127.0.0.1 17010"],
  ["DELETE /v1/servers/:name", "leave server1"],
  ["POST /v1/servers/:name/drain", "draining server1 true"],
  ["POST /v1/servers/:name/ready", "draining server1 false"],
];

describe("the agent's routes", () => {
  it("say who may call them", () => {
    const table = Object.fromEntries(
      routes.map(({ method, path, roles }) => [`${method} ${path}`, roles.toSorted().join(" ")]),
    );

    assert.deepEqual(table, {
      "GET /v1/health": "load-balancer operator server web-admin",
      "GET /v1/status": "operator server web-admin",
      "GET /v1/config": "operator web-admin",
      "PUT /v1/servers/:name": "operator server",
      "DELETE /v1/servers/:name": "operator server",
      "POST /v1/servers/:name/drain": "operator server",
      "POST /v1/servers/:name/ready": "operator server",
      "POST /v1/check": "operator web-admin",
      "POST /v1/reload": "operator",
    });
  });

  for (const [operation, call] of changes) {
    for (const peer of [server1, operator]) {
      it(`${operation} works for the ${peer.role} ${peer.name}`, async () => {
        calls.length = 0;

        await find(operation).handle(requestOf(peer, "server1", address));

        assert.deepEqual(calls, [call]);
      });
    }

    it(`${operation} refuses a server that speaks for another one`, () => {
      calls.length = 0;

      assert.throws(
        () => find(operation).handle(requestOf(server1, "server2", address)),
        (error: unknown) =>
          isPlatformError(error, "BALANCER_NOT_YOUR_NAME") && error.status === 403 &&
          /"server1".*"server2"/.test(error.message),
      );
      assert.deepEqual(calls, []);
    });

    it(`${operation} refuses a name that is none`, () => {
      assert.throws(
        () => find(operation).handle(requestOf(operator, "a\nserver evil 6.6.6.6:80", address)),
        (error: unknown) => isPlatformError(error, "BALANCER_BAD_NAME"),
      );
    });
  }
});

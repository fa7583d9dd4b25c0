import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isPlatformError } from "../../errors/platform-error.ts";
import type { Identity } from "../../mtls/identity.ts";
import type { ApiRequest, Route } from "../../mtls/json-api.ts";
import type { BalancerStatus, ChangeResult } from "../api.ts";
import { type AgentParts, createAgentRoutes } from "./routes.ts";

const calls: string[] = [];
const parts: AgentParts = {
  servers: {
    register: async (name, { host, port }) => void calls.push(`register ${name} ${host} ${port}`),
    leave: async (name) => void calls.push(`leave ${name}`),
    setDraining: async (name, draining) => void calls.push(`draining ${name} ${draining}`),
  },
  hop: { accepted: ["a-key"], rotate: async () => void calls.push("rotate") },
  status: () => Promise.reject(new Error("not asked for here")),
  config: () => ({ engine: "haproxy", text: "" }),
  check: async () => {},
  reload: async () => {},
  operator: {
    setState: async (name, state, { by }) => told(`${by} ${state} ${name}`),
    setWeight: async (name, weight, { by, why }) => told(`${by} weight ${name} ${weight} ${why}`),
    addServer: async (name, address, { by }) => told(`${by} add ${name} ${address}`),
    removeServer: async (name, { by }) => told(`${by} remove ${name}`),
    setAlgorithm: async (algorithm, { by }) => told(`${by} algorithm ${algorithm}`),
    view: () => ({ document: {} }),
    check: async () => {},
    diff: async () => ({ document: [], native: [] }),
    diffTo: async () => ({ document: [], native: [] }),
    replace: async (_document, { by, why, base }) => told(`${by} replace ${base?.revision} ${why}`),
    history: () => [],
    find: (id) => ({ id, revision: 0, at: "", by: "", why: "", origin: "", document: {} }),
    revert: async (id, { by }) => told(`${by} revert ${id}`),
  },
  revisions: () => [],
  adopt: async () => {},
  command: async () => "",
  statistics: async () => ({}),
};
const routes = createAgentRoutes(parts);

function told(call: string): ChangeResult {
  calls.push(call);
  return { revision: 1, changed: true, peers: [] };
}

function find(operation: string, among = routes): Route {
  const route = among.find(({ method, path }) => `${method} ${path}` === operation);
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

/** Operations on one server, and what they come to when it asks itself and when people ask. */
const changes: readonly [operation: string, own: string, operators: string][] = [
  [
    "PUT /v1/servers/:name",
    "register server1 127.0.0.1 17010",
    "register server1 127.0.0.1 17010",
  ],
  ["DELETE /v1/servers/:name", "leave server1", "operator/ana remove server1"],
  ["POST /v1/servers/:name/drain", "draining server1 true", "operator/ana drain server1"],
  ["POST /v1/servers/:name/ready", "draining server1 false", "operator/ana ready server1"],
];

describe("the agent's routes", () => {
  it("say who may call them", () => {
    const table = Object.fromEntries(
      routes.map(({ method, path, roles }) => [`${method} ${path}`, roles.toSorted().join(" ")]),
    );

    const people = "operator web-admin";
    assert.deepEqual(table, {
      "GET /v1/health": "load-balancer operator server web-admin",
      "GET /v1/status": "operator server web-admin",
      "GET /v1/config": people,
      "PUT /v1/servers/:name": "operator server",
      "DELETE /v1/servers/:name": "operator server web-admin",
      "POST /v1/servers/:name/drain": "operator server web-admin",
      "POST /v1/servers/:name/ready": "operator server web-admin",
      "POST /v1/servers/:name/maintenance": people,
      "PUT /v1/servers/:name/weight": people,
      "PUT /v1/servers/:name/address": people,
      "PUT /v1/algorithm": people,
      "GET /v1/statistics": people,
      "POST /v1/command": "operator",
      "GET /v1/configuration": people,
      "PUT /v1/configuration": people,
      "POST /v1/configuration/check": people,
      "POST /v1/configuration/diff": people,
      "GET /v1/configuration/history": people,
      "GET /v1/configuration/history/:id": people,
      "POST /v1/configuration/revert": people,
      "GET /v1/peer/revisions": "load-balancer",
      "PUT /v1/peer/revisions": "load-balancer",
      "GET /v1/hop-keys": "server",
      "POST /v1/hop-keys/rotate": "operator",
      "POST /v1/check": people,
      "POST /v1/reload": "operator",
    });
  });

  it("let a server step aside where another takes its requests, one at a time", async () => {
    // The third is down, and the fourth has weight 0: neither takes requests.
    const states = new Map([["server1", "up"], ["server2", "up"], ["server3", "down"]]);
    states.set("server4", "up");
    const drained = new Set<string>();
    const status = () =>
      Promise.resolve({
        servers: [...states].map(([name, state]) => ({
          name,
          state,
          weight: name === "server4" ? 0 : 100,
          wanted: drained.has(name) ? "drain" : "ready",
        })),
      } as unknown as BalancerStatus); // of which nothing else is looked at
    const setDraining = async (name: string) => void drained.add(name);
    const servers = { ...parts.servers, setDraining };
    const own = createAgentRoutes({ ...parts, servers, status });
    const drain = find("POST /v1/servers/:name/drain", own);
    const aside = async (name: string) =>
      await drain.handle(requestOf({ ...server1, name }, name, { ifOthersServe: true }));

    const outcomes = await Promise.allSettled([aside("server1"), aside("server2")]);

    assert.deepEqual(outcomes.map((outcome) => outcome.status), ["fulfilled", "rejected"]);
    assert.deepEqual([...drained], ["server1"]);
    await assert.rejects(
      aside("server2"),
      (error) => isPlatformError(error, "BALANCER_LAST_SERVER"),
    );
    drained.clear();
    await aside("server2");
    assert.deepEqual([...drained], ["server2"]);
  });

  it("write down who asks: the web admin speaks for its users, nobody else does", async () => {
    const path = "PUT /v1/servers/:name/weight";
    const console: Identity = { cluster: "demo", role: "web-admin", name: "console" };
    const headers = { "x-dragoman-user": "eve" };
    const body = { weight: 5, why: "slow disk" };

    calls.length = 0;
    for (const peer of [console, operator]) {
      await find(path).handle({ ...requestOf(peer, "server1", body), headers });
    }

    assert.deepEqual(calls, [
      "web-admin/eve weight server1 5 slow disk",
      "operator/ana weight server1 5 slow disk",
    ]);
  });

  it("refuse a body with fields that they do not know", () => {
    assert.throws(
      () => find("PUT /v1/algorithm").handle(requestOf(operator, "", { algoritm: "leastconn" })),
      (error: unknown) =>
        isPlatformError(error, "BALANCER_BAD_CONFIGURATION") &&
        error.message.includes('"algorithm"'),
    );
  });

  for (const [operation, own, operators] of changes) {
    for (const peer of [server1, operator]) {
      it(`${operation} works for the ${peer.role} ${peer.name}`, async () => {
        calls.length = 0;

        const body = operation.startsWith("PUT") ? address : undefined;
        await find(operation).handle(requestOf(peer, "server1", body));

        assert.deepEqual(calls, [peer.role === "server" ? own : operators]);
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

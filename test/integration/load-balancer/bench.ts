import assert from "node:assert/strict";
import type { Code } from "../../../src/errors/codes.ts";
import { isPlatformError } from "../../../src/errors/platform-error.ts";
import { poll } from "../../../src/lib/wait.ts";
import type { BalancedServer } from "../../../src/load-balancer/api.ts";
import type { AgentClient } from "../../../src/load-balancer/client.ts";
import type { HttpBackend } from "../../peers/http-backend.ts";
import { AgentSetup } from "./agent-setup.ts";
import { request } from "./haproxy-client.ts";

/** Matches an error by code and message. */
export function withCode(code: Code, message = /./): (error: unknown) => boolean {
  return (error) => {
    assert.ok(isPlatformError(error), String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    return true;
  };
}

/** Waits until the agent shows a server as `isWanted` wants it, for at most 10 s. */
export async function untilServer(
  client: AgentClient,
  name: string,
  isWanted: (server: BalancedServer) => boolean,
): Promise<BalancedServer> {
  let last: BalancedServer | undefined;
  const found = await poll(async () => {
    last = (await client.status()).servers.find((server) => server.name === name);
    return last !== undefined && isWanted(last) ? last : undefined;
  }, { timeoutMs: 10_000, intervalMs: 20 });
  assert.ok(found, `${name} stays ${JSON.stringify(last)}`);
  return found;
}

/** How often each server answered when asked so many times, one after the other. */
export async function answers(port: number, count: number): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (let n = 0; n < count; n++) {
    const { server } = JSON.parse((await request(port)).body);
    counts[server] = (counts[server] ?? 0) + 1;
  }
  return counts;
}

/** A balancer with operators and servers. */
export interface Bench extends AsyncDisposable {
  readonly setup: AgentSetup;
  readonly operator: AgentClient;
  readonly backends: readonly HttpBackend[];
  /** What a server's supervisor does every few seconds. */
  register(backend: HttpBackend): Promise<void>;
}

/** A balancer with servers that are up. */
export async function openBench(
  engine: "haproxy" | "embedded",
  names: readonly string[],
  algorithm = "roundrobin",
): Promise<Bench> {
  const setup = await AgentSetup.open(engine);
  // Most tests count on whose turn it is.
  await setup.configure(`healthCheck: { intervalMs: 200 }\nalgorithm: ${algorithm}`);
  await setup.start();
  const operator = await setup.client("operator", "ana");
  const register = async ({ name, host, port }: HttpBackend) => {
    await (await setup.client("server", name)).register(name, { host, port });
  };
  const backends = await Promise.all(names.map((name) => setup.backend(name)));
  for (const backend of backends) await register(backend);
  for (const name of names) await untilServer(operator, name, ({ state }) => state === "up");
  return {
    setup,
    operator,
    backends,
    register,
    [Symbol.asyncDispose]: () => setup[Symbol.asyncDispose](),
  };
}

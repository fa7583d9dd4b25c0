/**
 * Measures how long a change takes to be live on every server of a quickstart cluster, from sending
 * it to the admin API until each server answers by it: 50 changes with the KVDB and 50 without.
 * Prints the figures; asserts nothing. Run it with the runtime: `deno run -A --unstable-net FILE`.
 */
import { join } from "node:path";
import type { ApplyRequest } from "../../src/admin-api/api.ts";
import { poll } from "../../src/lib/wait.ts";
import { createJsonClient, type JsonClient } from "../../src/mtls/client.ts";
import { loadTls } from "../../src/mtls/tls-material.ts";
import { loadEnvironmentAt } from "../../src/cli/cluster/environment.ts";
import { dragomanOk, startQuickstart } from "./quickstart.ts";

const changes = 50;

async function changeOnce(
  client: JsonClient,
  servers: readonly { readonly url: string }[],
  path: string,
): Promise<number> {
  const spec = { path, methods: ["GET"], service: "demo.hello", security: "none" };
  const document = { apiVersion: "dragoman/v1", kind: "RestChannel", name: "live", spec } as const;
  const began = performance.now();
  const applied = client.post("/v1/apply", { objects: [document] } satisfies ApplyRequest);
  const live = Promise.all(servers.map(async ({ url }) => {
    const found = await poll(async () => {
      const response = await fetch(`${url}${path}`);
      await response.body?.cancel();
      return response.status === 200 ? true : undefined;
    }, { timeoutMs: 30_000, intervalMs: 2 });
    if (found === undefined) throw new Error(`${path} is not live on ${url} after 30 s`);
    return performance.now() - began;
  }));
  const [times] = await Promise.all([live, applied]);
  return Math.max(...times);
}

async function measure(what: string, client: JsonClient, servers: readonly { url: string }[]) {
  const times: number[] = [];
  for (let index = 0; index < changes; index++) {
    times.push(await changeOnce(client, servers, `/live/${what}/${index}`));
  }
  times.sort((a, b) => a - b);
  const at = (part: number) => Math.round(times[Math.ceil(times.length * part) - 1]!);
  console.log(`${what} KVDB: p50 ${at(0.5)} ms, p90 ${at(0.9)} ms, max ${at(1)} ms`);
}

await using cluster = await startQuickstart();
const { cluster: name, adminUrls, directory } = await loadEnvironmentAt(cluster.directory);
const client = createJsonClient({
  baseUrl: adminUrls[0]!,
  tls: await loadTls(directory),
  timeoutMs: 60_000,
  expect: { cluster: name, role: "server" },
});
try {
  await measure("with", client, cluster.servers);
  await dragomanOk(["stop", join(cluster.directory, "kvdb")]);
  await measure("without", client, cluster.servers);
} finally {
  client.close();
}

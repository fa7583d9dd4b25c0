/** A process in which several servers ask for one and the same lease at once. */
import { openOdb } from "../../../src/odb/open.ts";
import type { DatabaseAccess } from "./databases.ts";

interface Candidates {
  readonly access: DatabaseAccess;
  readonly name: string;
  readonly servers: readonly string[];
}

process.once("message", async ({ access, name, servers }: Candidates) => {
  const results = await Promise.all(servers.map(async (server) => {
    await using odb = await openOdb({ ...access, connectTimeoutMs: 20_000 });
    const cluster = await odb.cluster("demo");
    const holder = { server, incarnation: `${server}-1` };
    return await cluster.acquireLease({ name, holder, ttlMs: 60_000 }) ?? null;
  }));
  process.send!(results); // exists in a process that was forked
  process.disconnect!(); // likewise
});

/** A process that opens an ODB several times over and migrates all of them at once. */
import { openOdb } from "../../../src/odb/open.ts";
import type { DatabaseAccess } from "./databases.ts";

process.once("message", async ({ access, count }: { access: DatabaseAccess; count: number }) => {
  const results = await Promise.allSettled(Array.from({ length: count }, async () => {
    await using odb = await openOdb({ ...access, connectTimeoutMs: 20_000 });
    return await odb.migrate();
  }));
  // Both methods exist in a process that was forked.
  process.send!(
    results.map((result) => result.status === "fulfilled" ? result.value : String(result.reason)),
  );
  process.disconnect!();
});

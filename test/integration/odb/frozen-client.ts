/** A process that stops itself in the middle of a transaction that holds locks. */
import { openOdb } from "../../../src/odb/open.ts";
import type { DatabaseAccess } from "./databases.ts";

process.once("message", async (access: DatabaseAccess) => {
  const odb = await openOdb(access);
  const cluster = await odb.cluster("demo");
  const put = { op: "put", kind: "A", name: "frozen", spec: {}, references: [] } as const;
  const run = () => void process.kill(process.pid, "SIGSTOP");
  await cluster.change([put], { by: "frozen", check: { kinds: ["A"], run } });
});

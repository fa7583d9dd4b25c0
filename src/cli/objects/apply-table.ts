import type { ApplyResult } from "../../admin-api/api.ts";
import { renderTable } from "../output.ts";

/** What happened to each object and what each server made of it. */
export function applyTable({ changes, revision, servers }: ApplyResult, dryRun: boolean): string {
  const objects = renderTable({
    columns: ["kind", "name", "action", "revision"],
    rows: changes.map(({ kind, name, action, revision: own }) => [kind, name, action, own]),
  }, { colour: false });
  const outcomes = servers === undefined ? "" : "\n" + renderTable({
    columns: ["server", "outcome", "reason"],
    rows: servers.map(({ server, outcome, reason }) => [server, outcome, reason ?? "-"]),
  }, { colour: false });
  const note = dryRun ? "Nothing was changed (--dry-run)" : `Cluster revision ${revision}`;
  return `${note}\n\n${objects}${outcomes}`.trimEnd();
}

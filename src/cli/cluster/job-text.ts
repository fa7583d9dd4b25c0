import type { RunDetail, RunView } from "../../admin-api/api.ts";
import { renderFields, type Table } from "../output.ts";

/** Longer reasons are cut in tables; `job history --run` has all of them. */
const reasonMax = 70;

/** Runs as a table, newest first. */
export function runTable(
  runs: readonly RunView[],
  { withJob }: { readonly withJob: boolean },
): Table {
  const columns = ["planned for", "state", "took", "server", "why", "run"];
  return {
    columns: withJob ? ["job", ...columns] : columns,
    rows: runs.map((run) => {
      const cells = [
        run.plannedAt,
        stateText(run),
        durationText(run.durationMs),
        run.server ?? "-",
        shorten(run.reason ?? "-"),
        run.id,
      ];
      return withJob ? [run.job, ...cells] : cells;
    }),
    empty: "There are none",
  };
}

/** One run with all that is known of it. */
export function renderRun(run: RunDetail): string {
  const fields: (readonly [string, string | number])[] = [
    ["Run", run.id],
    ["Job", run.job],
    ["Service", run.service],
    ["State", run.state],
    ["Planned for", run.plannedAt],
    ["Trigger", run.requestedBy === null ? run.trigger : `${run.trigger}, by ${run.requestedBy}`],
    ["Attempt", run.attempt],
  ];
  if (run.reason !== null) fields.push(["Why", run.reason]);
  if (run.startedAt === null) fields.push(["Due", run.dueAt]);
  else fields.push(["Started", run.startedAt]);
  if (run.finishedAt !== null) fields.push(["Ended", run.finishedAt]);
  if (run.durationMs !== null) fields.push(["Took", durationText(run.durationMs)]);
  if (run.server !== null) fields.push(["Server", run.server]);
  fields.push(["Epochs", `claim ${run.epoch}, scheduler ${run.plannerEpoch || "-"}`]);
  if (run.cid !== null) fields.push(["Cid", `${run.cid} (look for it in the servers' logs)`]);
  const input = JSON.stringify(run.input, null, 2);
  const output = outputText(run);
  return `${renderFields(fields)}\n\nInput:\n${input}` +
    (output === undefined ? "" : `\n\nOutput:\n${output}`);
}

/** What the run's service returned; undefined when it has not. */
export function outputText({ output, outputLength }: RunDetail): string | undefined {
  if (outputLength === null) return undefined;
  if (output === undefined) return `not kept: it has ${outputLength} characters of JSON`;
  return JSON.stringify(output, null, 2);
}

/** `3 ms`, `1.25 s`; `-` while it is not known. */
function durationText(ms: number | null): string {
  if (ms === null) return "-";
  return ms < 1_000 ? `${ms} ms` : `${ms / 1_000} s`;
}

function stateText({ state, trigger, attempt }: RunView): string {
  if (trigger === "manual") return `${state} (by hand)`;
  return attempt > 1 ? `${state} (attempt ${attempt})` : state;
}

function shorten(text: string): string {
  const line = text.replaceAll(/\s+/g, " ");
  return line.length > reasonMax ? `${line.slice(0, reasonMax - 3)}...` : line;
}

import type { ClusterContext } from "../../context.ts";
import { rowBatches } from "../../batches.ts";
import {
  integerById,
  parseTerms,
  plannedRow,
  selectRuns,
  storedText,
  textById,
  updateRuns,
} from "./rows.ts";
import { wakeWaiting } from "./waiting.ts";

/** Characters of an output's JSON that are kept. */
const outputMax = 64_000;
const retryMsMax = 3_600_000;

/** A run that is about to end; its row is locked by this transaction. */
export interface EndingRun {
  readonly id: string;
  readonly job: string;
  /** Whether others of its job may wait for its end. */
  readonly isAwaited: boolean;
}

export interface RunEnd {
  readonly run: EndingRun;
  readonly state: "ok" | "failed" | "lost" | "skipped";
  readonly reason: string | null;
  /** For `ok`. */
  readonly output?: unknown;
  readonly isRetried?: boolean;
}

/**
 * Writes down how runs ended, plans the next attempts of those that get one, and wakes the runs
 * that waited for them. `now` is the database's time.
 */
export async function endRuns(
  cluster: ClusterContext,
  ends: readonly RunEnd[],
  now: string,
): Promise<void> {
  for (const state of ["ok", "failed", "lost", "skipped"] as const) {
    const rows = ends.filter((end) => end.state === state).map(renderEnd);
    for (const batch of rowBatches(rows)) await writeEnds(cluster, { state, batch, now });
  }
  const retried = ends.filter(({ isRetried }) => isRetried === true).map(({ run }) => run.id);
  if (retried.length > 0) await planRetries(cluster, retried, now);
  const jobs = ends.filter(({ run }) => run.isAwaited).map(({ run }) => run.job);
  await wakeWaiting(cluster, jobs);
}

interface RenderedEnd {
  readonly id: string;
  readonly reason: string | null;
  readonly output: string | null;
  readonly outputLength: number | null;
}

function renderEnd({ run: { id }, state, reason, output }: RunEnd): RenderedEnd {
  const text = state === "ok" ? JSON.stringify(output ?? null) : null;
  return {
    id,
    reason: reason === null ? null : storedText(reason),
    output: text !== null && text.length <= outputMax ? text : null,
    outputLength: text?.length ?? null,
  };
}

async function writeEnds(
  cluster: ClusterContext,
  { state, batch, now }: {
    readonly state: RunEnd["state"];
    readonly batch: readonly RenderedEnd[];
    readonly now: string;
  },
): Promise<void> {
  const reasons = batch.flatMap(({ id, reason }) => reason === null ? [] : [{ id, text: reason }]);
  const outputs = batch.flatMap(({ id, output }) => output === null ? [] : [{ id, text: output }]);
  const lengths = batch.flatMap(({ id, outputLength }) =>
    outputLength === null ? [] : [{ id, value: outputLength }]
  );
  await updateRuns(cluster).set({
    state,
    wake_at: null,
    open_job: null,
    exclusive_job: null,
    finished_at: now,
    reason: reasons.length === 0 ? null : textById(reasons),
    output: outputs.length === 0 ? null : textById(outputs),
    output_length: lengths.length === 0 ? null : integerById(lengths),
  }).where("id", "in", batch.map(({ id }) => id)).execute();
}

async function planRetries(
  cluster: ClusterContext,
  ids: readonly string[],
  now: string,
): Promise<void> {
  const runs = await selectRuns(cluster).select(["service", "input", "terms"])
    .where("id", "in", ids).execute();
  const rows = runs.map((run) => {
    const terms = parseTerms(run);
    const inMs = Math.min(terms.retryMs * 2 ** Math.min(run.attempt - 1, 30), retryMsMax);
    return plannedRow(cluster, {
      job: run.job,
      plannedAt: run.plannedAt,
      dueAt: new Date(Date.parse(now) + inMs).toISOString(),
      attempt: run.attempt + 1,
      trigger: "retry",
      plannerEpoch: run.plannerEpoch,
      requestedBy: run.requestedBy,
      terms: { ...terms, service: run.service, input: JSON.parse(run.input) },
    });
  });
  for (const batch of rowBatches(rows)) {
    await cluster.db.insertInto("job_run").values(batch).execute();
  }
}

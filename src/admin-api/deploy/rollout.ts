import type { ServerRow } from "../../odb/types.ts";
import { poll } from "../../lib/wait.ts";
import type { ServerOutcome } from "../api.ts";
import type { AdminContext } from "../context.ts";

/** How long a change may take to be live everywhere before the answer says who lags. */
const convergeMs = 10_000;
/** After this long, servers that lag are asked whether they are there at all. */
const patienceMs = 1_000;

/** What a change was about: a kind, or `Deployment`, and a name. */
export interface Subject {
  readonly kind: string;
  readonly name: string;
}

/**
 * Brings a revision to every server and says what each made of it: the announcement wakes them,
 * and each one's report in the ODB is its answer.
 */
export async function rollOut(
  context: AdminContext,
  revision: number,
  subjects: readonly Subject[],
): Promise<readonly ServerOutcome[]> {
  await context.announce(revision);
  await context.desired.check();
  const lagging = async () => {
    const rows = await context.link.use((store) => store.listServers());
    return rows.filter((row) => mayServe(row, context) && row.revision < revision);
  };
  const converged = (await untilNone(lagging, patienceMs)) ||
    await untilNone(() => lagging().then((rows) => answering(context, rows)), convergeMs);
  const rows = await context.link.use((store) => store.listServers());
  return rows.filter(({ state }) => state !== "down").map((row) =>
    outcomeOf(row, { revision, subjects, converged })
  );
}

/** Waits until `find` finds nothing, and says whether it came to that. */
async function untilNone(find: () => Promise<readonly unknown[]>, timeoutMs: number) {
  const none = async () => ((await find()).length === 0 ? true : undefined);
  return await poll(none, { timeoutMs, intervalMs: 25 }) === true;
}

/** Those of the servers that answer. The others were killed a moment ago, or are cut off. */
async function answering(
  context: AdminContext,
  rows: readonly ServerRow[],
): Promise<readonly ServerRow[]> {
  const answers = await Promise.all(rows.map(async (row) => {
    if (row.name === context.supervisor.name) return true;
    const asking = context.peer(row.adminUrl).get("/v1/health", { timeoutMs: patienceMs });
    return await asking.then(() => true, () => false);
  }));
  return rows.filter((_, index) => answers[index]);
}

/** While the ODB was away nobody could report: then silence is no sign that a server is lost. */
function mayServe(row: ServerRow, { presence }: AdminContext): boolean {
  return serves(row) || (row.state === "lost" && !presence.judgesSilence);
}

/** A server that is expected to follow. */
export function serves({ state }: ServerRow): boolean {
  return state === "up" || state === "joining";
}

interface Outcome {
  readonly revision: number;
  readonly subjects: readonly Subject[];
  /** False: the time was over while servers that answer had not followed. */
  readonly converged: boolean;
}

function outcomeOf(row: ServerRow, { revision, subjects, converged }: Outcome): ServerOutcome {
  const server = row.name;
  if (row.state === "lost" || (converged && row.revision < revision)) {
    const reason = `not heard of since ${row.lastSeenAt}; it follows when it is back`;
    return { server, outcome: "unreachable", reason };
  }
  const failure = row.failures.find(({ kind, name }) =>
    subjects.some((subject) => subject.kind === kind && subject.name === name)
  );
  if (failure !== undefined) {
    return { server, outcome: "failed", revision: row.revision, reason: failure.error };
  }
  if (row.revision < revision) {
    const reason = `still at revision ${row.revision} after ${convergeMs / 1_000} s; it follows`;
    return { server, outcome: "unreachable", revision: row.revision, reason };
  }
  return { server, outcome: "live", revision: row.revision };
}

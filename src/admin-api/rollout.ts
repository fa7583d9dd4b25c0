import type { ServerRow } from "../odb/types.ts";
import { poll } from "../lib/wait.ts";
import type { ServerOutcome } from "./api.ts";
import type { AdminContext } from "./context.ts";

/** How long a change may take to be live everywhere before the answer says who lags. */
const convergeMs = 10_000;

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
  let rows: readonly ServerRow[] = [];
  await poll(async () => {
    rows = await context.link.use((store) => store.listServers());
    return rows.every((row) => !serves(row) || row.revision >= revision) ? true : undefined;
  }, { timeoutMs: convergeMs, intervalMs: 25 });
  return rows.filter(({ state }) => state !== "down").map((row) =>
    outcomeOf(row, revision, subjects)
  );
}

/** A server that is expected to follow. */
export function serves({ state }: ServerRow): boolean {
  return state === "up" || state === "starting";
}

function outcomeOf(row: ServerRow, revision: number, subjects: readonly Subject[]): ServerOutcome {
  const server = row.name;
  if (row.state === "lost") {
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

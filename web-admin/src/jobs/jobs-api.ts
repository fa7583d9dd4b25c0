import { queryOptions } from "@tanstack/react-query";
import type { JobDetail, JobState, JobView, LeaseView } from "../../../src/admin-api/api.ts";
import { getJson, postJson } from "../api.ts";
import type { SessionView } from "../../shared/session.ts";

/** Pages that show jobs look again so often. */
const refetchInterval = 3_000;

/** What of the list is asked for. */
export interface JobListQuery {
  readonly state?: JobState;
  readonly after?: string;
  readonly limit: number;
}

/** The key of everything kept of a cluster's jobs. */
export function jobsKey(cluster: string): readonly string[] {
  return ["jobs", cluster];
}

export function jobsQuery(cluster: string, { state, after, limit }: JobListQuery) {
  const query = new URLSearchParams({ limit: String(limit) });
  if (state !== undefined) query.set("state", state);
  if (after !== undefined) query.set("after", after);
  return queryOptions({
    queryKey: [...jobsKey(cluster), "list", String(query)],
    queryFn: () => getJson<readonly JobView[]>(`${pathOf(cluster)}/jobs?${query}`),
    refetchInterval,
  });
}

export function jobQuery(cluster: string, job: string) {
  return queryOptions({
    queryKey: [...jobsKey(cluster), "one", job],
    queryFn: () => getJson<JobDetail>(`${pathOf(cluster)}/jobs/${encodeURIComponent(job)}`),
    refetchInterval,
  });
}

export function leasesQuery(cluster: string) {
  return queryOptions({
    queryKey: ["leases", cluster],
    queryFn: () => getJson<readonly LeaseView[]>(`${pathOf(cluster)}/leases`),
    refetchInterval,
  });
}

/** Has the cluster run, pause or resume a job now. */
export async function actOnJob(
  { cluster, job, action, session }: {
    readonly cluster: string;
    readonly job: string;
    readonly action: "run" | "pause" | "resume";
    readonly session: SessionView;
  },
): Promise<void> {
  const path = `${pathOf(cluster)}/jobs/${encodeURIComponent(job)}/${action}`;
  await postJson<void>(path, { csrfToken: session.csrfToken });
}

function pathOf(cluster: string): string {
  return `/api/clusters/${encodeURIComponent(cluster)}`;
}

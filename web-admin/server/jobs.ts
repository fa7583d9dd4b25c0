import type { JobDetail, JobView, LeaseView } from "../../src/admin-api/api.ts";
import { type AdminAccess, withServer } from "./admin-access.ts";

/** What people may do with a job. */
export const jobActions = ["run", "pause", "resume"] as const;
export type JobAction = (typeof jobActions)[number];

/** What people look at and do to a cluster's jobs. Everything throws WEB_ADMIN_NO_SERVER. */
export interface Jobs {
  /** `query` is that of the admin API's `GET /v1/jobs`. Throws what that refuses it with. */
  list(query: URLSearchParams): Promise<readonly JobView[]>;
  /** Throws ODB_NO_OBJECT. */
  get(name: string): Promise<JobDetail>;
  /** `username` is written down as who did it. Throws ODB_NO_OBJECT. */
  act(name: string, action: JobAction, username: string): Promise<void>;
  leases(): Promise<readonly LeaseView[]>;
}

/** Makes the jobs of one cluster. Cheap: it connects when asked for something. */
export function createJobs(access: AdminAccess): Jobs {
  const pathOf = (name: string) => `/v1/jobs/${encodeURIComponent(name)}`;
  return {
    list: (query) => withServer(access, (client) => client.get(`/v1/jobs?${query}`)),
    get: (name) => withServer(access, (client) => client.get(pathOf(name))),
    async act(name, action, username) {
      await withServer(access, (client) =>
        client.post(`${pathOf(name)}/${action}`, undefined, {
          headers: { "X-Dragoman-User": username },
        }));
    },
    leases: () => withServer(access, (client) => client.get("/v1/leases")),
  };
}

import type { Logger } from "../../src/telemetry/logger.ts";
import { ofCluster } from "./admin-access.ts";
import type { ApiRoute } from "./http/router.ts";
import { jobActions, type Jobs } from "./jobs.ts";

export interface JobParts {
  readonly jobs: ReadonlyMap<string, Jobs>;
  readonly logger: Logger;
}

/** A cluster's jobs and leases, and what people do with a job. */
export function jobRoutes({ jobs, logger }: JobParts): readonly ApiRoute[] {
  const path = "/api/clusters/:cluster/jobs";
  return [
    {
      method: "GET",
      path,
      access: "session",
      handle({ request, params }) {
        const { searchParams } = new URL(request.url ?? "", "http://localhost");
        return ofCluster(jobs, params["cluster"]).list(searchParams);
      },
    },
    {
      method: "GET",
      path: `${path}/:job`,
      access: "session",
      handle: ({ params }) => ofCluster(jobs, params["cluster"]).get(params["job"]!),
    },
    ...jobActions.map((action): ApiRoute => ({
      method: "POST",
      path: `${path}/:job/${action}`,
      access: "session",
      async handle({ params }, { username }) {
        const job = params["job"]!;
        await ofCluster(jobs, params["cluster"]).act(job, action, username);
        logger.info(`job: ${action}`, { user: username, job });
      },
    })),
    {
      method: "GET",
      path: "/api/clusters/:cluster/leases",
      access: "session",
      handle: ({ params }) => ofCluster(jobs, params["cluster"]).leases(),
    },
  ];
}

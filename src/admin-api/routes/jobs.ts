import { z } from "zod";
import { PlatformError } from "../../errors/platform-error.ts";
import type { Route } from "../../mtls/json-api.ts";
import { runStates } from "../../odb/job-types.ts";
import type { ClusterStore } from "../../odb/types.ts";
import { job, type JobSpec } from "../../scheduler/kinds/job.ts";
import { runTerms } from "../../scheduler/run-terms.ts";
import {
  type JobDetail,
  jobStates,
  type JobView,
  type NextTimes,
  type RunDetail,
  type RunView,
} from "../api.ts";
import { type AdminContext, authorOf } from "../context.ts";
import { JobViews } from "../work/job-views.ts";
import { parseBody } from "../request-body.ts";
import { getObject } from "./objects.ts";

const limit = z.coerce.number().int().min(1).max(1_000);
const jobsQuery = z.strictObject({
  state: z.enum(jobStates).optional(),
  after: z.string().optional(),
  limit: limit.default(100),
});
const nextQuery = z.strictObject({ count: limit.default(5) });
const runsQuery = z.strictObject({
  job: z.string().optional(),
  state: z.enum(runStates).optional(),
  hasBegun: z.stringbool().optional(),
  limit: limit.optional(),
});
const runRequest = z.strictObject({ input: z.json().optional() });

/** Jobs: what they do next and did last, and what an operator may do with them. */
export function jobRoutes(context: AdminContext): readonly Route[] {
  return [...lookingRoutes(context), ...runRoutes(context), ...changingRoutes(context)];
}

function lookingRoutes({ link }: AdminContext): readonly Route[] {
  const views = new JobViews();
  return [
    {
      method: "GET",
      path: "/v1/jobs",
      roles: ["operator", "web-admin"],
      handle(request): Promise<readonly JobView[]> {
        const body = Object.fromEntries(request.query);
        const query = parseBody(jobsQuery, { ...request, body });
        return link.use((store) => views.list(store, query));
      },
    },
    {
      method: "GET",
      path: "/v1/jobs/:name",
      roles: ["operator", "web-admin"],
      handle: ({ params }): Promise<JobDetail> => {
        const name = params["name"]!;
        return link.use(async (store) =>
          await views.detail(store, name) ?? await unreadable(store, name)
        );
      },
    },
    {
      method: "GET",
      path: "/v1/jobs/:name/next",
      roles: ["operator", "web-admin"],
      handle(request): Promise<NextTimes> {
        const name = request.params["name"]!;
        const body = Object.fromEntries(request.query);
        const { count } = parseBody(nextQuery, { ...request, body });
        return link.use(async (store) =>
          await views.times(store, { name, count }) ?? await unreadable(store, name)
        );
      },
    },
  ];
}

function runRoutes(context: AdminContext): readonly Route[] {
  const { link, logger } = context;
  return [
    {
      method: "GET",
      path: "/v1/runs",
      roles: ["operator", "web-admin"],
      handle(request): Promise<readonly RunView[]> {
        const body = Object.fromEntries(request.query);
        const query = parseBody(runsQuery, { ...request, body });
        return link.use(async (store) => {
          const runs = await store.listRuns(query);
          // Nothing may be there because the name is wrong.
          if (runs.length === 0 && query.job !== undefined) await readJob(store, query.job);
          return runs;
        });
      },
    },
    {
      method: "GET",
      path: "/v1/runs/:id",
      roles: ["operator", "web-admin"],
      handle: ({ params }): Promise<RunDetail> => link.use((store) => store.getRun(params["id"]!)),
    },
    {
      method: "POST",
      path: "/v1/runs/:id/cancel",
      roles: ["operator", "web-admin"],
      async handle(request): Promise<void> {
        const id = request.params["id"]!;
        const by = authorOf(request);
        if (!await link.use((store) => store.cancelRun(id, by))) {
          const { state } = await link.use((store) => store.getRun(id));
          throw new PlatformError("RUN_STATE", { id, state, action: "cancelled" });
        }
        logger.info("Run of a job cancelled by hand", { run: id, by });
      },
    },
  ];
}

function changingRoutes(context: AdminContext): readonly Route[] {
  const { link, logger, scheduler } = context;
  return [
    {
      method: "POST",
      path: "/v1/jobs/:name/run",
      roles: ["operator", "web-admin"],
      async handle(request): Promise<{ readonly id: string }> {
        const name = request.params["name"]!;
        const { input } = parseBody(runRequest, { ...request, body: request.body ?? {} });
        const by = authorOf(request);
        const id = await link.use(async (store) => {
          const spec = await readJob(store, name);
          const terms = runTerms(input === undefined ? spec : { ...spec, input });
          return await store.createRun({ job: name, terms, by });
        });
        scheduler.announce();
        logger.info("Job run by hand", { job: name, run: id, by });
        return { id };
      },
    },
    {
      method: "POST",
      path: "/v1/jobs/:name/pause",
      roles: ["operator", "web-admin"],
      async handle(request): Promise<void> {
        const name = request.params["name"]!;
        const by = authorOf(request);
        await link.use(async (store) => {
          await readJob(store, name);
          await store.pauseJob(name, by);
        });
        logger.info("Job paused by hand", { job: name, by });
      },
    },
    {
      method: "POST",
      path: "/v1/jobs/:name/resume",
      roles: ["operator", "web-admin"],
      async handle(request): Promise<void> {
        const name = request.params["name"]!;
        await link.use(async (store) => {
          await readJob(store, name);
          await store.resumeJob(name);
        });
        scheduler.replan();
        logger.info("Job resumed by hand", { job: name, by: authorOf(request) });
      },
    },
  ];
}

/** Throws ODB_NO_OBJECT with the nearest name. */
async function readJob(store: ClusterStore, name: string): Promise<JobSpec> {
  return job.schema.parse((await getObject(store, job.kind, name)).spec);
}

/** There is no such job, or this version cannot read it: throws what says so. */
async function unreadable(store: ClusterStore, name: string): Promise<never> {
  await readJob(store, name);
  throw new PlatformError("ODB_NO_OBJECT", { kind: job.kind, name, nearest: "" });
}

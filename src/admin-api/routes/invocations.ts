import { z } from "zod";
import { PlatformError } from "../../errors/platform-error.ts";
import { createCid } from "../../http/cid.ts";
import type { Route } from "../../mtls/json-api.ts";
import { invocationStates } from "../../odb/durable-types.ts";
import { unknownService } from "../../service/run-service.ts";
import type { InvocationDetail, InvocationView } from "../api.ts";
import { type AdminContext, authorOf } from "../context.ts";
import { parseBody } from "../request-body.ts";

const enqueueRequest = z.strictObject({
  service: z.string(),
  input: z.unknown(),
  delayMs: z.number().min(0).default(0),
  attempts: z.int().min(1).default(5),
  retryMs: z.number().min(0).default(1_000),
  callback: z.string().optional(),
});

const listQuery = z.strictObject({
  state: z.enum(invocationStates).optional(),
  service: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(1_000).optional(),
});

/** Work that was handed over to be done later: what waits, runs, was done and failed. */
export function invocationRoutes(context: AdminContext): readonly Route[] {
  return [...lookingRoutes(context), ...changingRoutes(context)];
}

function lookingRoutes({ link }: AdminContext): readonly Route[] {
  return [
    {
      method: "GET",
      path: "/v1/invocations",
      roles: ["operator", "web-admin"],
      handle(request): Promise<readonly InvocationView[]> {
        const body = Object.fromEntries(request.query);
        const query = parseBody(listQuery, { ...request, body });
        return link.use((store) => store.listInvocations(query));
      },
    },
    {
      method: "GET",
      path: "/v1/invocations/:id",
      roles: ["operator", "web-admin"],
      handle: ({ params }): Promise<InvocationDetail> =>
        link.use((store) => store.getInvocation(params["id"]!)),
    },
  ];
}

function changingRoutes(context: AdminContext): readonly Route[] {
  const { link, logger } = context;
  return [
    {
      method: "POST",
      path: "/v1/invocations",
      roles: ["operator", "web-admin"],
      async handle(request): Promise<{ readonly id: string }> {
        const { service, callback, attempts, ...rest } = parseBody(enqueueRequest, request);
        await requireServices(context, callback === undefined ? [service] : [service, callback]);
        const cid = createCid();
        const id = await context.enqueue({
          ...rest,
          service,
          callback,
          attemptsMax: attempts,
          cid,
        });
        logger.info("Invocation enqueued by hand", { id, service, cid, by: authorOf(request) });
        return { id };
      },
    },
    {
      method: "POST",
      path: "/v1/invocations/:id/retry",
      roles: ["operator", "web-admin"],
      async handle(request): Promise<void> {
        const id = request.params["id"]!;
        await link.use((store) => store.retryInvocation(id));
        context.wakeInvocations();
        logger.info("Invocation retried by hand", { id, by: authorOf(request) });
      },
    },
    {
      method: "POST",
      path: "/v1/invocations/:id/cancel",
      roles: ["operator", "web-admin"],
      async handle(request): Promise<void> {
        const id = request.params["id"]!;
        if (!await link.use((store) => store.cancelInvocation(id))) {
          const { state } = await link.use((store) => store.getInvocation(id));
          throw new PlatformError("INVOCATION_STATE", { id, state, action: "cancelled" });
        }
        logger.info("Invocation cancelled by hand", { id, by: authorOf(request) });
      },
    },
    {
      method: "DELETE",
      path: "/v1/invocations/:id",
      roles: ["operator", "web-admin"],
      async handle(request): Promise<void> {
        const id = request.params["id"]!;
        await link.use((store) => store.deleteInvocation(id));
        logger.info("Invocation deleted by hand", { id, by: authorOf(request) });
      },
    },
  ];
}

/** A wrong name is found out now, not after the last attempt. Throws SERVICE_UNKNOWN. */
async function requireServices({ link }: AdminContext, wanted: readonly string[]): Promise<void> {
  const names = (await link.use((store) => store.listServices())).map(({ name }) => name);
  for (const name of wanted) {
    if (!names.includes(name)) throw unknownService(name, names);
  }
}

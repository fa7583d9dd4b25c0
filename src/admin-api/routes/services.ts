import { z } from "zod";
import { isPlatformError, type PlatformError } from "../../errors/platform-error.ts";
import type { Route } from "../../mtls/json-api.ts";
import { createCid } from "../../http/cid.ts";
import { unknownService } from "../../service/run-service.ts";
import type { InvokeResult, ServiceView } from "../api.ts";
import { type AdminContext, authorOf } from "../context.ts";
import { parseBody } from "../request-body.ts";

const invokeRequest = z.strictObject({ input: z.unknown() });

/** What is deployed, and calling it without a channel. */
export function serviceRoutes(context: AdminContext): readonly Route[] {
  const { link, supervisor } = context;
  return [
    {
      method: "GET",
      path: "/v1/services",
      roles: ["operator", "web-admin"],
      handle: (): Promise<readonly ServiceView[]> =>
        link.use(async (store) => {
          const services = await store.listServices();
          return await Promise.all(services.map(async (service) => ({
            ...service,
            usedBy: await store.usersOf("Service", service.name),
          })));
        }),
    },
    {
      method: "POST",
      path: "/v1/services/:name/invoke",
      roles: ["operator", "web-admin"],
      async handle(request): Promise<InvokeResult> {
        const { input } = parseBody(invokeRequest, request);
        const name = request.params["name"]!;
        const cid = createCid();
        context.logger.info("Service invoked by hand", {
          service: name,
          cid,
          by: authorOf(request),
        });
        try {
          const { output, durationMs } = await supervisor.invoke(name, input, cid);
          return { cid, server: supervisor.name, durationMs, output };
        } catch (error) {
          if (isPlatformError(error, "SERVICE_UNKNOWN")) throw await noService(context, name);
          throw error;
        }
      },
    },
  ];
}

/** Names the nearest service, when the ODB is there to ask. */
async function noService({ link }: AdminContext, name: string): Promise<PlatformError> {
  const services = await link.use((store) => store.listServices()).catch(() => []);
  return unknownService(name, services.map((service) => service.name));
}

import { z } from "zod";
import type { Route } from "../../mtls/json-api.ts";
import type { LeaseTermView, LeaseView } from "../api.ts";
import type { AdminContext } from "../context.ts";
import { parseBody } from "../request-body.ts";

const historyQuery = z.strictObject({
  name: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(1_000).optional(),
});

/** Who does what only one server of the cluster may do, and who did. */
export function leaseRoutes({ link }: AdminContext): readonly Route[] {
  return [
    {
      method: "GET",
      path: "/v1/leases",
      roles: ["operator", "web-admin"],
      handle: (): Promise<readonly LeaseView[]> => link.use((store) => store.listLeases()),
    },
    {
      method: "GET",
      path: "/v1/leases/history",
      roles: ["operator", "web-admin"],
      handle(request): Promise<readonly LeaseTermView[]> {
        const query = parseBody(historyQuery, {
          ...request,
          body: Object.fromEntries(request.query),
        });
        return link.use((store) => store.listLeaseTerms(query));
      },
    },
  ];
}

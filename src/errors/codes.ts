import { adminCodes } from "./codes/admin.ts";
import { caCodes } from "./codes/ca.ts";
import { catalogCodes } from "./codes/catalog.ts";
import { cliCodes } from "./codes/cli.ts";
import { configCodes } from "./codes/config.ts";
import { deployCodes } from "./codes/deploy.ts";
import { kvdbCodes } from "./codes/kvdb.ts";
import { balancerCodes } from "./codes/balancer.ts";
import { odbCodes } from "./codes/odb.ts";
import { requestCodes } from "./codes/request.ts";
import { serverCodes } from "./codes/server.ts";
import { webAdminCodes } from "./codes/web-admin.ts";
import { channelCodes } from "./codes/channel.ts";
import { facilityCodes } from "./codes/facility.ts";
import { invocationCodes } from "./codes/invocation.ts";
import { outgoingCodes } from "./codes/outgoing.ts";
import { securityCodes } from "./codes/security.ts";
import { serviceCodes } from "./codes/service.ts";
import { soapCodes } from "./codes/soap.ts";
import { xmlCodes } from "./codes/xml.ts";
import type { ErrorCode } from "./error-code.ts";

/** Every error code, `AREA_WHAT`. One file per area under `codes/`. */
export const codes = {
  INTERNAL: {
    kind: "bug",
    status: 500,
    message: "Internal error",
    advice: "Look for the correlation id in the server's log",
  },
  ...adminCodes,
  ...balancerCodes,
  ...caCodes,
  ...catalogCodes,
  ...cliCodes,
  ...configCodes,
  ...deployCodes,
  ...kvdbCodes,
  ...odbCodes,
  ...requestCodes,
  ...serverCodes,
  ...channelCodes,
  ...facilityCodes,
  ...invocationCodes,
  ...outgoingCodes,
  ...securityCodes,
  ...serviceCodes,
  ...soapCodes,
  ...xmlCodes,
  ...webAdminCodes,
} as const satisfies Record<string, ErrorCode>;

export type Code = keyof typeof codes;

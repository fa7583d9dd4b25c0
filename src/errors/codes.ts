import { adminCodes } from "./codes/admin.ts";
import { caCodes } from "./codes/ca.ts";
import { cliCodes } from "./codes/cli.ts";
import { clusterCodes, leaseCodes } from "./codes/cluster.ts";
import { catalogCodes, configCodes } from "./codes/config.ts";
import { deployCodes } from "./codes/deploy.ts";
import { kvdbCodes } from "./codes/kvdb.ts";
import { balancerCodes } from "./codes/balancer.ts";
import { odbCodes } from "./codes/odb.ts";
import { rehearsalCodes } from "./codes/rehearsal.ts";
import { requestCodes } from "./codes/request.ts";
import { serverCodes } from "./codes/server.ts";
import { webAdminCodes } from "./codes/web-admin.ts";
import { channelCodes } from "./codes/channel.ts";
import { facilityCodes } from "./codes/facility.ts";
import { invocationCodes, schedulerCodes } from "./codes/durable-work.ts";
import { outgoingCodes } from "./codes/outgoing.ts";
import { securityCodes } from "./codes/security.ts";
import { serviceCodes } from "./codes/service.ts";
import { soapCodes, xmlCodes } from "./codes/soap.ts";
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
  ...clusterCodes,
  ...configCodes,
  ...deployCodes,
  ...kvdbCodes,
  ...odbCodes,
  ...rehearsalCodes,
  ...requestCodes,
  ...serverCodes,
  ...channelCodes,
  ...facilityCodes,
  ...invocationCodes,
  ...leaseCodes,
  ...outgoingCodes,
  ...schedulerCodes,
  ...securityCodes,
  ...serviceCodes,
  ...soapCodes,
  ...xmlCodes,
  ...webAdminCodes,
} as const satisfies Record<string, ErrorCode>;

export type Code = keyof typeof codes;

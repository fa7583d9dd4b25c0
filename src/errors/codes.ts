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

/**
 * Who has to act: `input` the caller or the configuration is wrong; `state` not now (closed,
 * draining, already running); `peer` the other side or the network, worth a retry; `bug` an
 * invariant of ours broke.
 */
export type ErrorKind = "input" | "state" | "peer" | "bug";

/** One row of the table. Messages: sentence case, no full stop, `{placeholders}` for values. */
export interface ErrorCode {
  readonly kind: ErrorKind;
  /** The HTTP status under which the error leaves an HTTP edge. */
  readonly status: number;
  readonly message: string;
  /** How to fix it, as an imperative sentence. */
  readonly advice?: string;
}

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
  ...webAdminCodes,
} as const satisfies Record<string, ErrorCode>;

export type Code = keyof typeof codes;

import type { ErrorCode } from "../codes.ts";

export const balancerCodes = {} as const satisfies Record<string, ErrorCode>;

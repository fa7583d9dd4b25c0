import type { ErrorCode } from "../codes.ts";

export const adminCodes = {} as const satisfies Record<string, ErrorCode>;

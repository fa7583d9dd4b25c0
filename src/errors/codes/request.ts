import type { ErrorCode } from "../codes.ts";

export const requestCodes = {} as const satisfies Record<string, ErrorCode>;

import type { ErrorCode } from "../codes.ts";

export const odbCodes = {} as const satisfies Record<string, ErrorCode>;

import type { ErrorCode } from "../codes.ts";

export const catalogCodes = {} as const satisfies Record<string, ErrorCode>;

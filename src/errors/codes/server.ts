import type { ErrorCode } from "../codes.ts";

export const serverCodes = {} as const satisfies Record<string, ErrorCode>;

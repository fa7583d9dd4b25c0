import type { ErrorCode } from "../codes.ts";

export const kvdbCodes = {} as const satisfies Record<string, ErrorCode>;

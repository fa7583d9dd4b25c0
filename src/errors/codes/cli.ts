import type { ErrorCode } from "../codes.ts";

export const cliCodes = {} as const satisfies Record<string, ErrorCode>;

import type { ErrorCode } from "../codes.ts";

export const caCodes = {} as const satisfies Record<string, ErrorCode>;

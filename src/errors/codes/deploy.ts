import type { ErrorCode } from "../codes.ts";

export const deployCodes = {} as const satisfies Record<string, ErrorCode>;

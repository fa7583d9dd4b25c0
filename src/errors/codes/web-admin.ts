import type { ErrorCode } from "../codes.ts";

export const webAdminCodes = {} as const satisfies Record<string, ErrorCode>;

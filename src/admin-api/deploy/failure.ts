import { isPlatformError, reasonOf } from "../../errors/platform-error.ts";
import type { DeployResult } from "../api.ts";

/** Why a deployment did not come about: the reason first, then a line for each server and hint. */
export function failureLines(failure: DeployResult | Error): readonly string[] {
  if (failure instanceof Error) {
    const details: readonly unknown[] = isPlatformError(failure) && Array.isArray(failure.details)
      ? failure.details
      : [];
    const advice = isPlatformError(failure) ? failure.advice : undefined;
    return [reasonOf(failure), ...details.map(String), ...(advice === undefined ? [] : [advice])];
  }
  const failed = failure.servers.find(({ outcome }) => outcome === "failed");
  const lines = failure.servers.map(({ server, outcome, reason }) =>
    `${server}: ${outcome}${reason === undefined ? "" : `, ${reason}`}`
  );
  return [failed?.reason ?? "No server took it", ...lines];
}

/** Whether to try again later: the database or another server is away, and nothing was wrong. */
export function isPassing(error: unknown): boolean {
  return isPlatformError(error) && (error.kind === "peer" || error.code === "SERVER_NO_WORKER");
}

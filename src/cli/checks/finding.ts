import { isPlatformError, PlatformError, reasonOf } from "../../errors/platform-error.ts";
import { paint, renderTable } from "../output.ts";

/** What one check found. `warning`: it works, and will not for ever. */
export interface Finding {
  /** What was looked at: `server1: certificate`. */
  readonly check: string;
  readonly state: "ok" | "warning" | "failed";
  readonly detail: string;
  /** What to do about it; absent when all is well. */
  readonly fix?: string;
}

/** Runs one check: what `look` returns is the detail of an `ok`, what it throws is a failure. */
export async function finding(
  check: string,
  look: () => Promise<string | Omit<Finding, "check">>,
): Promise<Finding> {
  try {
    const found = await look();
    return typeof found === "string" ? { check, state: "ok", detail: found } : { check, ...found };
  } catch (error) {
    const advice = isPlatformError(error) ? error.advice : undefined;
    const base = { check, state: "failed", detail: reasonOf(error) } as const;
    return advice === undefined ? base : { ...base, fix: advice };
  }
}

/** The findings for people: a table, then what to do about each that is not ok. */
export function findingsTable(findings: readonly Finding[], colour: boolean): string {
  const table = renderTable({
    columns: ["check", "state", "detail"],
    rows: findings.map(({ check, state, detail }) => [check, state, detail]),
  }, { colour }).trimEnd();
  const fixes = findings.filter(({ fix }) => fix !== undefined).map(({ check, fix, state }) => {
    const label = colour ? paint(state === "failed" ? "red" : "yellow", "Fix") : "Fix";
    return `${label} ${check}: ${fix}`;
  });
  return fixes.length === 0 ? table : `${table}\n\n${fixes.join("\n")}`;
}

/** Throws CLI_CHECKS_FAILED when any finding failed. */
export function refuseFailures(subject: string, findings: readonly Finding[]): void {
  const failed = findings.filter(({ state }) => state === "failed");
  if (failed.length === 0) return;
  throw new PlatformError("CLI_CHECKS_FAILED", {
    count: failed.length,
    total: findings.length,
    subject,
  }, { details: failed.map(({ check, detail }) => `${check}: ${detail}`) });
}

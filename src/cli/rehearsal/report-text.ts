import type { RehearsalReport } from "../../rehearsal/drive.ts";
import type { LeftOut } from "../../rehearsal/rehearse.ts";
import { paint, renderTable } from "../output.ts";

/** One report as people read it: what was done, then a line for each promise. */
export function renderReport(
  report: RehearsalReport,
  { colour }: { readonly colour: boolean },
): string {
  const { scenario, seconds, requestsPerSecond, servers, odb, faults, promises, kept } = report;
  const broken = promises.filter(({ verdict }) => verdict === "broken");
  const table = renderTable({
    columns: ["promise", "measured", "bound", "verdict"],
    rows: promises.map(({ promise, measured, bound, verdict }) => [
      promise,
      measured,
      bound,
      verdict,
    ]),
  }, { colour });
  const verdict = kept ? "every promise kept" : `${broken.length} broken`;
  const lines = [
    `${scenario}: ${seconds} s of load, ${requestsPerSecond} requests/s, ${servers} servers, ${odb}`,
    ...faults.map(({ what, atSeconds, seconds: lasted }) =>
      `  at ${atSeconds} s  ${what}${lasted === null ? "" : `, over after ${lasted} s`}`
    ),
    "",
    table,
    ...broken.flatMap(({ promise, cases = [] }) => cases.map((text) => `  ${promise}: ${text}`)),
    colour ? paint(kept ? "green" : "red", `${scenario}: ${verdict}`) : `${scenario}: ${verdict}`,
  ];
  return lines.join("\n") + "\n";
}

/** What could not be rehearsed, and why; empty when everything was. */
export function renderLeftOut(leftOut: readonly LeftOut[]): string {
  return leftOut.map(({ scenario, reason }) => `\nNot rehearsed: ${scenario}: ${reason}\n`).join(
    "",
  );
}

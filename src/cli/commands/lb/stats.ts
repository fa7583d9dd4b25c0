import type { BalancerStatistics } from "../../../load-balancer/api.ts";
import { loadEnvironment, withAgent } from "../../cluster/environment.ts";
import { defineCommand, environmentOption, outputOption } from "../../command.ts";
import { printResult, renderTable } from "../../output.ts";

/** The figures that people look at first, by the engine's names. */
const columns: readonly (readonly [title: string, column: string])[] = [
  ["name", "svname"],
  ["status", "status"],
  ["weight", "weight"],
  ["sessions", "scur"],
  ["max", "smax"],
  ["total", "stot"],
  ["rate/s", "rate"],
  ["queue", "qcur"],
  ["2xx", "hrsp_2xx"],
  ["4xx", "hrsp_4xx"],
  ["5xx", "hrsp_5xx"],
  ["conn errors", "econ"],
  ["resp errors", "eresp"],
  ["retries", "wretr"],
  ["failed checks", "chkfail"],
];

export const command = defineCommand({
  path: "lb stats",
  summary: "Show the figures of the balancer's engine",
  description:
    "Totals since the engine's last start or reload. -o json has every figure that the engine " +
    "knows, by its own names; times in them are in ms.",
  arguments: {},
  options: { env: environmentOption, output: outputOption },
  examples: ["dragoman lb stats --env ./demo", "dragoman lb stats -o json"],
  async run({ env, output }, io) {
    const environment = await loadEnvironment({ env }, io);
    const statistics = await withAgent(environment, (agent) => agent.statistics());
    await printResult(io.stdout, output, { value: statistics, table: render(statistics) });
  },
});

/** A column that nobody has a figure for says nothing. */
function render({ rows }: BalancerStatistics): string {
  const used = columns.filter(([, column]) => rows.some((row) => (row[column] ?? "") !== ""));
  return renderTable({
    columns: used.map(([title]) => title),
    rows: rows.map((row) => used.map(([, column]) => nameOf(row, column))),
  }, { colour: false }).trimEnd();
}

function nameOf(row: Readonly<Record<string, string>>, column: string): string {
  const value = row[column] ?? "";
  if (column === "svname" && value === "FRONTEND") return "clients (all)";
  if (column === "svname" && value === "BACKEND") return "servers (all)";
  return value === "" ? "-" : value;
}

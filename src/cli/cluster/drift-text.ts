import type { Drift, DriftReport } from "../../admin-api/api.ts";

/** What differs, one line each, and how much was looked at. */
export function driftText(report: DriftReport): string {
  const { differences, servers, revision } = report;
  const running = servers.filter(({ state }) => state !== "down");
  const stopped = servers.filter(({ state }) => state === "down").map(({ name }) => name);
  const workers = running.reduce((sum, server) => sum + server.workers, 0);
  const about = `${count(running.length, "server")} with ${count(workers, "worker")}`;
  const odb = `the ODB (revision ${revision}, ${count(report.objects, "object")}, ` +
    `${count(report.deployments, "deployment")})`;
  const lines = mergeWorkers(differences);
  const total = lines.length === 0
    ? `${about} ${running.length === 1 ? "runs" : "run"} what ${odb} has`
    : `${count(lines.length, "difference")} between ${odb} and ${about}`;
  const rest = stopped.length === 0 ? "" : `; stopped: ${stopped.join(", ")}`;
  return [...lines, `${total}${rest}`].join("\n");
}

/** Workers of one server that say the same are told in one line. */
function mergeWorkers(differences: readonly Drift[]): readonly string[] {
  const groups = Map.groupBy(
    differences,
    ({ server, kind, name, text }) => JSON.stringify([server, kind, name, text]),
  );
  return [...groups.values()].map((same) => {
    const { server, kind, name, text } = same[0]!; // groups are never empty
    const workers = same.flatMap(({ worker }) => (worker === undefined ? [] : [worker]));
    const who = workers.length === 0
      ? server
      : `${server} ${workers.length === 1 ? "worker" : "workers"} ${workers.join(", ")}`;
    const line = `${who} ${plural(text, workers.length)}`;
    return kind === "Server" ? line : `${kind}/${name}: ${line}`;
  });
}

function plural(text: string, workers: number): string {
  return workers > 1 ? text.replace(/^runs /, "run ").replace(/^has /, "have ") : text;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

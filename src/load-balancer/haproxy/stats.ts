import type { BalancedServerState, EngineServer } from "../api.ts";
import type { EngineStatus } from "../engine.ts";
import { renderAddress } from "../address.ts";
import type { HaproxyServer } from "./model.ts";
import { backendName, frontendName } from "./render.ts";

/** One row of `show stat`, by column name. */
export type StatRow = Readonly<Record<string, string>>;

/** Parses the CSV that `show stat` answers: a line `# name,name,...`, then one line a row. */
export function parseStat(csv: string): readonly StatRow[] {
  const [head, ...lines] = csv.trim().split("\n");
  if (head === undefined || !head.startsWith("# ")) return [];
  const names = splitCsv(head.slice(2));
  return lines.filter((line) => line !== "").map((line) => {
    const fields = splitCsv(line);
    return Object.fromEntries(names.map((name, index) => [name, fields[index] ?? ""]));
  });
}

/** Fields are quoted only when they hold commas or quotes; a quote inside is doubled. */
function splitCsv(line: string): string[] {
  const fields = `${line},`.matchAll(/(?:"((?:[^"]|"")*)"|([^,]*)),/g);
  return Array.from(fields, ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? "");
}

export interface StatusContext {
  readonly servers: readonly HaproxyServer[];
  /** When HAProxy answered. */
  readonly nowMs: number;
  /** The answer before, so that times which HAProxy rounds do not waver. */
  readonly before?: Pick<EngineStatus, "servers"> | undefined;
}

/**
 * What HAProxy says, for the servers that we gave it. Counters start anew with each HAProxy
 * process.
 */
export function engineStatus(
  rows: readonly StatRow[],
  { servers, nowMs, before }: StatusContext,
): Omit<EngineStatus, "finishing"> {
  const frontend = rows.find((row) => row["pxname"] === frontendName);
  const byName = new Map(
    rows.filter((row) => row["pxname"] === backendName).map((row) => [row["svname"], row]),
  );
  return {
    requestsTotal: count(frontend, "req_tot"),
    sessionsCurrent: count(frontend, "scur"),
    servers: servers.map((server) => {
      const status = serverStatus(server, byName.get(server.name), nowMs);
      return steady(status, before?.servers.find(({ name }) => name === server.name));
    }),
  };
}

/** Whole seconds ago, reckoned back from now, differ by one from answer to answer. */
function steady(status: EngineServer, before: EngineServer | undefined): EngineServer {
  if (before?.state !== status.state) return status;
  const differenceMs = Math.abs(Date.parse(before.since) - Date.parse(status.since));
  return differenceMs <= 2_000 ? { ...status, since: before.since } : status;
}

/** How a server is shown that HAProxy cannot be asked about. */
export function unknownServer(
  { name, host, port }: { readonly name: string; readonly host: string; readonly port: number },
  { reason, since }: { readonly reason: string; readonly since: string },
): EngineServer {
  return {
    name,
    address: renderAddress(host, port),
    state: "down",
    since,
    reason,
    weight: 0,
    sessionsCurrent: 0,
    sessionsMax: 0,
    requestsTotal: 0,
    requestRate: 0,
    errorsTotal: 0,
  };
}

function serverStatus(
  server: HaproxyServer,
  row: StatRow | undefined,
  nowMs: number,
): EngineServer {
  const state = stateOf(server, row);
  return {
    name: server.name,
    address: renderAddress(server.ip, server.port),
    state,
    since: new Date(nowMs - count(row, "lastchg") * 1_000).toISOString(),
    reason: reasonFor(state, row),
    weight: state === "draining" || state === "maintenance" ? 0 : count(row, "weight"),
    sessionsCurrent: count(row, "scur"),
    sessionsMax: count(row, "smax"),
    requestsTotal: count(row, "stot"),
    requestRate: count(row, "rate"),
    errorsTotal: count(row, "econ") + count(row, "eresp"),
  };
}

function stateOf(server: HaproxyServer, row: StatRow | undefined): BalancedServerState {
  const status = row?.["status"] ?? "";
  if (server.maintenance && /^MAINT/.test(status)) return "maintenance";
  // `UP 1/2` is on its way down, `DOWN 1/2` on its way up.
  if (!/^(UP|DRAIN|NOLB)/.test(status)) return "down";
  if (server.draining) return "draining";
  return hasCheckResult(row) ? "up" : "starting";
}

function reasonFor(state: BalancedServerState, row: StatRow | undefined): string {
  if (row === undefined) return "HAProxy does not know it";
  if (state === "maintenance") return "asked to take nothing at all";
  if (state === "draining") return "asked to take no new requests";
  if (!hasCheckResult(row)) return "no health check has ended yet";
  const what = row["check_desc"] || row["status"] || "";
  // Such as `503 Service Unavailable`; a connection that failed has no code.
  const detail = [row["check_code"], row["last_chk"]].filter(Boolean).join(" ");
  return detail === "" ? what : `${what}: ${detail}`;
}

/** While a check runs, HAProxy puts `* ` before the result of the last one. */
function hasCheckResult(row: StatRow | undefined): boolean {
  const result = (row?.["check_status"] ?? "").replace(/^\* /, "");
  return result !== "" && result !== "INI" && result !== "UNK";
}

function count(row: StatRow | undefined, column: string): number {
  return Number(row?.[column] ?? 0) || 0;
}

/** Reads `name: value` lines, as `show info` answers them. */
export function parseInfo(text: string): Readonly<Record<string, string>> {
  const lines = text.split("\n").map((line) => /^([^:]+): ?(.*)$/.exec(line));
  return Object.fromEntries(lines.flatMap((match) => match === null ? [] : [[match[1], match[2]]]));
}

import { hostname } from "node:os";
import { isPlatformError, PlatformError } from "../errors/platform-error.ts";
import { poll } from "../lib/wait.ts";
import type { ServerReport, ServerRow } from "../odb/types.ts";
import type { OdbLink } from "./odb-link.ts";
import type { ServerDetails } from "./status.ts";

/** Longer than a server that says nothing takes to be lost. */
const patienceMs = 15_000;

/**
 * Takes a server's name for this life of it, with its first report. At once when no other life of
 * that name left a row, or the one that did is gone, or stood in this very place, which is free
 * now; else when that one is lost. Of several that try at the same time one succeeds. Throws
 * SERVER_NAME_TAKEN for the others, and when the other life gives a sign of itself. An ODB that is
 * out of reach is no reason not to start: then `Membership` finds out.
 */
export async function takeName(link: OdbLink, own: ServerReport, cluster: string): Promise<void> {
  try {
    const first = await findRow(link, own);
    const replaces = first !== undefined && isSamePlace(first, own) ? first.incarnation : undefined;
    const rival = await poll(async () => {
      const row = await findRow(link, own);
      const isFree = row === undefined || isGone(row) || row.incarnation === replaces;
      if (!isFree) return first === undefined || isAlive(row, first) ? row : undefined;
      // Who was faster is seen at the next look.
      return await link.use((store) => store.reportServer(own, { replaces })) ? "none" : undefined;
    }, { timeoutMs: patienceMs, intervalMs: 200 });
    if (typeof rival === "object") throw nameTaken(rival, cluster);
  } catch (error) {
    if (!isPlatformError(error, "ODB_UNREACHABLE")) throw error;
  }
}

/** Why a server cannot go on whose row another life of its name has; that one is asked for. */
export async function nameTakenBy(
  link: OdbLink,
  own: ServerReport,
  cluster: string,
): Promise<PlatformError> {
  const row = await findRow(link, own).catch(() => undefined);
  return nameTaken(row ?? { ...own, details: null }, cluster);
}

async function findRow(link: OdbLink, { name }: ServerReport): Promise<ServerRow | undefined> {
  const servers = await link.use((store) => store.listServers());
  return servers.find((row) => row.name === name);
}

/** Whether something was heard of that name since `first` was read. */
function isAlive(row: ServerRow, first: ServerRow): boolean {
  return row.lastSeenAt > first.lastSeenAt || row.incarnation !== first.incarnation;
}

function isGone({ state }: ServerRow): boolean {
  return state === "down" || state === "lost";
}

function isSamePlace({ adminUrl, details }: ServerRow, own: ServerReport): boolean {
  return adminUrl === own.adminUrl && hostOf(details) === hostname();
}

function hostOf(details: unknown): string | undefined {
  return (details as Partial<ServerDetails> | null)?.hostname; // rows of older versions have none
}

function nameTaken(
  { name: server, adminUrl, details }: ServerReport,
  cluster: string,
): PlatformError {
  const host = hostOf(details) ?? "another machine";
  return new PlatformError("SERVER_NAME_TAKEN", { server, cluster, host, adminUrl });
}

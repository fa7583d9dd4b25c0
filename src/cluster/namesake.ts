import { hostname } from "node:os";
import { isPlatformError, PlatformError } from "../errors/platform-error.ts";
import { poll } from "../lib/wait.ts";
import type { ServerRow } from "../odb/types.ts";
import type { OdbLink } from "./odb-link.ts";
import type { ServerDetails } from "./status.ts";

interface NewServer {
  readonly name: string;
  readonly cluster: string;
  readonly incarnation: string;
  readonly adminUrl: string;
}

/** Longer than a server that says nothing takes to be lost. */
const patienceMs = 15_000;

/**
 * Resolves when no other server of this name is alive: at once when it left, is lost, or stood in
 * this place, which is free now; else when it is lost. Throws SERVER_NAME_TAKEN when it gives a
 * sign of life meanwhile. An ODB that is out of reach is no reason not to start.
 */
export async function refuseNamesake(link: OdbLink, own: NewServer): Promise<void> {
  const find = async () => {
    const servers = await link.use((store) => store.listServers());
    return servers.find(({ name }) => name === own.name);
  };
  try {
    const first = await find();
    if (first === undefined || isGone(first) || isOwnPlace(first, own)) return;
    const alive = await poll(async () => {
      const row = await find();
      if (row === undefined || isGone(row) || row.incarnation === own.incarnation) return false;
      return row.lastSeenAt > first.lastSeenAt ? row : undefined;
    }, { timeoutMs: patienceMs, intervalMs: 200 });
    if (alive) throw taken(alive, own);
  } catch (error) {
    if (!isPlatformError(error, "ODB_UNREACHABLE")) throw error;
  }
}

function isGone({ state }: ServerRow): boolean {
  return state === "down" || state === "lost";
}

function isOwnPlace({ adminUrl, details }: ServerRow, own: NewServer): boolean {
  return adminUrl === own.adminUrl && hostOf(details) === hostname();
}

function hostOf(details: unknown): string | undefined {
  return (details as Partial<ServerDetails> | null)?.hostname; // rows of older versions have none
}

function taken({ adminUrl, details }: ServerRow, { name, cluster }: NewServer): PlatformError {
  const host = hostOf(details) ?? "another machine";
  return new PlatformError("SERVER_NAME_TAKEN", { server: name, cluster, host, adminUrl });
}

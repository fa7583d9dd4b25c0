import { parseOdbUrl } from "../../odb/url.ts";
import { lockSqlite } from "./sqlite-lock.ts";
import { moveAwaySqlite } from "./sqlite-move.ts";
import type { LinkFaults } from "./tcp-proxy.ts";
import type { Place } from "../stage.ts";

/** Something that every server depends on, taken away from all of them at once. */
export interface Outage {
  /** What was done, as people read it. */
  readonly what: string;
  /** Gives it back. */
  end(): Promise<void>;
}

/**
 * Takes the ODB away: `down` refuses connections, `frozen` lets nothing pass. A SQLite file is
 * locked for writing; with `gone` it is not there at all.
 */
export async function beginOdbOutage(
  { cluster, links }: Place,
  how: "down" | "frozen" | "gone",
): Promise<Outage> {
  const target = parseOdbUrl(cluster.servers[0]!.odbUrl);
  if (target.dialect === "sqlite" && how === "gone") {
    const away = await moveAwaySqlite(target.path);
    return { what: "The ODB's file is gone", end: () => away.putBack() };
  }
  if (target.dialect === "sqlite") {
    const lock = lockSqlite(target.path);
    return {
      what: "The ODB's file is locked: nobody can write to it",
      end: () => Promise.resolve(lock.release()),
    };
  }
  const proxies = [...links?.values() ?? []].flatMap(({ odb }) => odb ?? []);
  const set = async (faults: LinkFaults) => {
    await Promise.all(proxies.map((proxy) => proxy.set(faults)));
  };
  await set(how === "frozen" ? { frozen: "both" } : { down: true });
  return {
    what: how === "frozen" ? "The ODB does not answer any more" : "The ODB refuses connections",
    end: () => set({}),
  };
}

/** Why the ODB of a place cannot be taken away; undefined when it can. */
export function unfitForOdbOutage({ cluster, links }: Place): string | undefined {
  if (links !== undefined || cluster.servers[0]?.odbUrl.startsWith("sqlite:")) return undefined;
  return "the way of its servers to their database cannot be broken from here";
}

import type { ClusterSnapshot, ServerFailure, ServerRow } from "../odb/types.ts";
import type { ObjectHash } from "../server/worker/protocol.ts";
import type { Drift, ServerInventory, WorkerAnswer } from "./api.ts";

/** What the ODB says should run. */
export interface Wanted extends Pick<ClusterSnapshot, "revision" | "bundles"> {
  readonly objects: readonly ObjectHash[];
  /** Names the cluster key. */
  readonly keyId: string;
  /** The newest version of Dragoman among the servers. */
  readonly version: string;
}

/** A server and what it said of itself, or why it said nothing. */
export interface AskedServer {
  readonly row: Pick<ServerRow, "name" | "state" | "lastSeenAt" | "version">;
  readonly inventory: ServerInventory | { readonly reason: string };
}

/** The highest of some versions of Dragoman; empty when there are none. */
export function newestVersion(versions: readonly string[]): string {
  return versions.toSorted((a, b) => a.localeCompare(b, "en", { numeric: true })).at(-1) ?? "";
}

/** Every difference between what should run and what one server and its workers run. */
export function driftOfServer(wanted: Wanted, { row, inventory }: AskedServer): readonly Drift[] {
  const server = row.name;
  const self = { server, kind: "Server", name: server };
  if ("reason" in inventory) {
    const text = row.state === "lost"
      ? `is lost, not heard of since ${row.lastSeenAt}: ${inventory.reason}`
      : `does not answer: ${inventory.reason}`;
    return [{ ...self, text }];
  }
  return [
    ...(inventory.state === "up" ? [] : [{ ...self, text: `is ${inventory.state}` }]),
    ...cutOff(inventory).map((text) => ({ ...self, text })),
    ...(row.version === wanted.version
      ? []
      : [{ ...self, text: `runs Dragoman ${row.version}, the newest server ${wanted.version}` }]),
    ...driftOfKey(wanted, inventory).map((one) => ({ server, ...one })),
    ...driftOfCertificates(inventory),
    ...inventory.workers.flatMap((worker) => driftOfWorker(wanted, server, worker)),
  ];
}

function cutOff({ odb, clusterRevision }: ServerInventory): readonly string[] {
  if (odb.state !== "down") return [];
  const why = odb.reason ?? "it does not answer";
  return [`is cut off from the ODB since ${odb.since}, at revision ${clusterRevision}: ${why}`];
}

function driftOfKey(
  wanted: Wanted,
  { keyId }: { readonly keyId: string },
): readonly Pick<Drift, "kind" | "name" | "text">[] {
  if (keyId === wanted.keyId) return [];
  const text = `has the key ${keyId}, the cluster has ${wanted.keyId}`;
  return [{ kind: "Secrets", name: "cluster key", text }];
}

function driftOfCertificates({ server, certificates }: ServerInventory): readonly Drift[] {
  return certificates.filter((one) => one.onDisk !== one.fingerprint).map((one) => {
    const disk = one.onDisk === null ? "nothing usable" : short(one.onDisk);
    const text = `shows ${
      short(one.fingerprint)
    }, valid until ${one.expiresAt}, its disk has ${disk}`;
    return { server, kind: "Certificate", name: one.use, text };
  });
}

function driftOfWorker(wanted: Wanted, server: string, worker: WorkerAnswer): readonly Drift[] {
  const at = { server, worker: worker.id };
  if ("reason" in worker) return [{ ...at, kind: "Server", name: server, text: worker.reason }];
  const failures = new Map(worker.failures.map((one) => [`${one.kind}/${one.name}`, one]));
  const deployments = driftOf(
    { wanted: wanted.bundles.map(asEntry), running: worker.bundles.map(asEntry), failures },
  );
  const objects = worker.objects === undefined
    ? []
    : driftOf({ wanted: wanted.objects, running: worker.objects, failures });
  const key = driftOfKey(wanted, worker);
  return [...key, ...deployments, ...objects].map((one) => ({ ...at, ...one }));
}

/** An object or a file. */
interface Entry {
  readonly kind: string;
  readonly name: string;
  /** Undefined for files, of which only the hash counts. */
  readonly revision?: number;
  readonly hash: string;
}

function asEntry({ file, hash }: { readonly file: string; readonly hash: string }): Entry {
  return { kind: "Deployment", name: file, hash };
}

function driftOf({ wanted, running, failures }: {
  readonly wanted: readonly Entry[];
  readonly running: readonly Entry[];
  readonly failures: ReadonlyMap<string, ServerFailure>;
}): readonly Pick<Drift, "kind" | "name" | "text">[] {
  const here = new Map(running.map((one) => [keyOf(one), one]));
  const there = new Map(wanted.map((one) => [keyOf(one), one]));
  const names = [...new Set([...there.keys(), ...here.keys()])].sort();
  return names.flatMap((key) => {
    const [has, runs] = [there.get(key), here.get(key)];
    if (has?.hash === runs?.hash && has?.revision === runs?.revision) return [];
    const { kind, name } = (has ?? runs)!; // one of the two has brought the key
    const failure = has === undefined ? undefined : failures.get(key)?.error;
    const because = failure === undefined ? "" : `: ${failure}`;
    return [{
      kind,
      name,
      text: `runs ${textOf(runs, has)}, ODB has ${textOf(has, runs)}${because}`,
    }];
  });
}

function textOf(one: Entry | undefined, other: Entry | undefined): string {
  if (one === undefined) return "nothing";
  if (one.revision === undefined) return short(one.hash);
  const isSameRevision = one.revision === other?.revision;
  return `revision ${one.revision}${isSameRevision ? ` with the content ${short(one.hash)}` : ""}`;
}

function keyOf({ kind, name }: Entry): string {
  return `${kind}/${name}`;
}

function short(hash: string): string {
  return hash.slice(0, 8);
}

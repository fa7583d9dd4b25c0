import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { ComponentPaths } from "../../config/component.ts";
import type { LoadBalancerConfig } from "../../config/schemas.ts";
import { writeFileAtomic } from "../../lib/atomic-file.ts";
import { sha256Hex } from "../../lib/canonical-json.ts";
import { loadClientTls } from "../certificates.ts";

/**
 * Certificates and authorities in the form that HAProxy reads: files of `state/tls/`, named by what
 * is in them, so that a renewed certificate is another configuration.
 */
export interface TlsFiles {
  readonly directory: string;
  /** Each a certificate with its key; empty: clients come by plain HTTP. */
  readonly certificates: readonly string[];
  /** Whom clients' certificates must come from. */
  readonly clientCa: string | undefined;
  /** Whom servers' certificates must come from; undefined: the balancer has none itself. */
  readonly clusterCa: string | undefined;
}

/** Reads what the configuration names and writes it for HAProxy. Throws BALANCER_TLS_FILE. */
export async function writeTlsFiles(
  { tls }: Pick<LoadBalancerConfig, "tls">,
  { root, state, tls: ownTls }: Pick<ComponentPaths, "root" | "state" | "tls">,
): Promise<TlsFiles> {
  const directory = join(state, "tls");
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const write = async (text: string) => {
    const name = `${sha256Hex(text).slice(0, 32)}.pem`;
    const file = join(directory, name);
    if (!existsSync(file)) await writeFileAtomic(file, text);
    return name;
  };
  const ca = await readFile(join(ownTls, "ca.pem"), "utf8").catch(() => undefined); // has none
  const clusterCa = ca === undefined ? undefined : await write(ca);
  const client = tls === undefined ? undefined : await loadClientTls(tls, root);
  const certificates: string[] = [];
  for (const { cert, key } of client?.certificates ?? []) {
    certificates.push(await write(cert + key));
  }
  const clientCa = client?.clientCa === undefined ? undefined : await write(client.clientCa);
  return { directory, certificates, clientCa, clusterCa };
}

/** Removes the files that none of these configurations needs. */
export async function pruneTlsFiles(...used: readonly TlsFiles[]): Promise<void> {
  const names = new Set(used.flatMap(({ certificates, clientCa, clusterCa }) => [
    ...certificates,
    clientCa,
    clusterCa,
  ]));
  for (const directory of new Set(used.map((files) => files.directory))) {
    for (const name of await readdir(directory)) {
      if (!names.has(name)) await rm(join(directory, name), { force: true });
    }
  }
}

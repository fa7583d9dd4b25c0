import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { componentPaths, loadMarker } from "../../config/component.ts";
import { PlatformError } from "../../errors/platform-error.ts";
import { loadText } from "../../config/yaml-source.ts";
import { writeFileAtomic } from "../../lib/atomic-file.ts";
import type { Identity } from "../../mtls/identity.ts";
import type { CommandIo } from "../io.ts";

/** Options of every command that makes a component with a certificate. */
export const tlsOptions = {
  ca: {
    type: "text",
    value: "DIR",
    summary: "A certificate authority made by ca create ca, which issues the certificate",
  },
  tlsCert: { type: "text", value: "FILE", summary: "A certificate issued elsewhere (PEM)" },
  tlsKey: { type: "text", value: "FILE", summary: "Its private key (PEM)" },
  tlsCa: { type: "text", value: "FILE", summary: "The authority that all components trust (PEM)" },
} as const;

/** Where a component's certificate comes from: an authority of ours, or three files. */
export type TlsSource =
  | { readonly authority: string }
  | { readonly cert: string; readonly key: string; readonly ca: string };

interface TlsInput {
  readonly ca: string | undefined;
  readonly tlsCert: string | undefined;
  readonly tlsKey: string | undefined;
  readonly tlsCa: string | undefined;
}

/** Checks the options and what they name before anything is made. Throws CLI_USAGE, CONFIG_*. */
export async function readTlsSource(
  { ca, tlsCert, tlsKey, tlsCa }: TlsInput,
  { command, io }: { readonly command: string; readonly io: CommandIo },
): Promise<TlsSource> {
  const given = [tlsCert, tlsKey, tlsCa].filter((file) => file !== undefined).length;
  if (ca !== undefined && given === 0) {
    const authority = resolve(io.cwd, ca);
    await loadMarker(authority, "ca");
    return { authority };
  }
  if (ca !== undefined || tlsCert === undefined || tlsKey === undefined || tlsCa === undefined) {
    const reason = "Give either --ca, or all of --tls-cert, --tls-key and --tls-ca";
    throw new PlatformError("CLI_USAGE", { reason, command });
  }
  const [cert, key, authority] = [tlsCert, tlsKey, tlsCa].map((file) => resolve(io.cwd, file));
  const source = { cert: cert!, key: key!, ca: authority! };
  for (const file of Object.values(source)) await loadText(file);
  return source;
}

/** Puts a certificate into `tls/` of a component's directory, issuing it when the source can. */
export async function installCertificate(
  directory: string,
  source: TlsSource,
  { identity, hosts }: { readonly identity: Identity; readonly hosts: readonly string[] },
): Promise<void> {
  if ("authority" in source) {
    const { installTls } = await import("../../ca/install.ts");
    const { issueCertificate } = await import("../../ca/issue.ts");
    const issued = await issueCertificate(source.authority, { identity, hosts: [...hosts] });
    return await installTls(issued, directory);
  }
  const { tls } = componentPaths(directory);
  await mkdir(tls, { recursive: true, mode: 0o700 });
  await writeFileAtomic(join(tls, "cert.pem"), await loadText(source.cert));
  await writeFileAtomic(join(tls, "key.pem"), await loadText(source.key));
  await writeFileAtomic(join(tls, "ca.pem"), await loadText(source.ca));
}

/** Names under which a component on this machine is reached. */
export function localHosts(...hosts: readonly string[]): readonly string[] {
  const reachable = hosts.filter((host) => host !== "0.0.0.0" && host !== "::");
  return [...new Set(["localhost", "127.0.0.1", "::1", ...reachable])];
}

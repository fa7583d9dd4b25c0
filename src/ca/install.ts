import { chmod, mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { componentPaths, loadMarker } from "../config/component.ts";
import { PlatformError, reasonOf } from "../errors/platform-error.ts";
import { writeFileAtomic } from "../lib/atomic-file.ts";
import type { IssuedCertificate } from "./issue.ts";

/**
 * Copies a certificate into a component's `tls/` as `cert.pem`, `key.pem` and `ca.pem` (0600). Each
 * file is replaced whole, so the component may be running: it uses what it has read until it reads
 * again. Throws CONFIG_NOT_A_COMPONENT, CA_CANNOT_INSTALL.
 */
export async function installTls(
  issued: Pick<IssuedCertificate, "certPath" | "keyPath" | "caPath">,
  componentDirectory: string,
): Promise<void> {
  await loadMarker(componentDirectory);
  const { root, tls } = componentPaths(componentDirectory);
  try {
    const files = {
      "ca.pem": await readFile(issued.caPath),
      "key.pem": await readFile(issued.keyPath),
      "cert.pem": await readFile(issued.certPath),
    };
    await mkdir(tls, { recursive: true });
    await chmod(tls, 0o700);
    for (const [name, content] of Object.entries(files)) {
      await writeFileAtomic(join(tls, name), content);
    }
  } catch (error) {
    const params = { directory: root, reason: reasonOf(error) };
    throw new PlatformError("CA_CANNOT_INSTALL", params, { cause: error });
  }
}

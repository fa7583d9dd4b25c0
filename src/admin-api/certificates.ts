import { X509Certificate } from "node:crypto";
import type { CertificateInUse } from "../cluster/status.ts";
import type { TlsMaterial } from "../mtls/identity.ts";

/** What a server's certificate is shown for, as others see it. */
export function certificatesInUse(
  { cert }: TlsMaterial,
  { http }: { readonly http: { readonly tls: boolean } },
): readonly CertificateInUse[] {
  const { fingerprint256, validToDate } = new X509Certificate(cert);
  const fingerprint = fingerprint256.replaceAll(":", "").toLowerCase();
  const expiresAt = validToDate.toISOString();
  return ["admin", ...(http.tls ? ["http"] : [])].map((use) => ({ use, fingerprint, expiresAt }));
}

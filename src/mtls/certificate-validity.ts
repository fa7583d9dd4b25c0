import { X509Certificate } from "node:crypto";
import { connect } from "node:tls";

/** Why a certificate is not valid now, in words; undefined when it is, or cannot be read. */
export function invalidityOf(
  certificate: string | Uint8Array,
  now: Date = new Date(),
): string | undefined {
  let dates: Pick<X509Certificate, "validFromDate" | "validToDate">;
  try {
    dates = new X509Certificate(certificate);
  } catch {
    return undefined; // a reason is looked for, and this is not the place that finds this one
  }
  const { validFromDate, validToDate } = dates;
  if (now > validToDate) return `certificate has expired (${validToDate.toISOString()})`;
  if (now < validFromDate) return `certificate is not valid before ${validFromDate.toISOString()}`;
  return undefined;
}

/**
 * Why the certificate of the server at `origin` is not valid now. The runtime reports an expired
 * certificate as one that cannot be verified, so after such a failure this looks at it, over a
 * connection that is trusted with nothing and sends nothing.
 */
export function inspectServer(
  origin: string,
  { timeoutMs = 2_000 }: { readonly timeoutMs?: number } = {},
): Promise<string | undefined> {
  const { hostname, port } = new URL(origin);
  const host = hostname.replace(/^\[|\]$/g, "");
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port || 443), rejectUnauthorized: false });
    const finish = (reason?: string) => {
      clearTimeout(timer);
      resolve(reason);
      socket.destroy();
    };
    const timer = setTimeout(finish, timeoutMs);
    socket.on("secureConnect", () => {
      const { raw } = socket.getPeerCertificate();
      finish(raw === undefined ? undefined : invalidityOf(raw));
    });
    socket.on("error", () => finish());
  });
}

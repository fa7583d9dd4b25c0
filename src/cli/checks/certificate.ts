import { createPrivateKey, X509Certificate } from "node:crypto";
import { join } from "node:path";
import { componentPaths } from "../../config/component.ts";
import { loadText } from "../../config/yaml-source.ts";
import { type Finding, finding } from "./finding.ts";

const warnDays = 30;
const dayMs = 86_400_000;

/** Whether the certificate in `tls/` is valid, belongs to its key and is signed by its authority. */
export function checkCertificate(name: string, directory: string): Promise<Finding> {
  return finding(`${name}: certificate`, async () => {
    const { tls } = componentPaths(directory);
    const [cert, key, ca] = await Promise.all(
      ["cert.pem", "key.pem", "ca.pem"].map((file) => loadText(join(tls, file))),
    );
    return judge({ cert: cert!, key: key!, ca: ca! }, directory, Date.now());
  });
}

function judge(
  { cert, key, ca }: { readonly cert: string; readonly key: string; readonly ca: string },
  directory: string,
  now: number,
): Omit<Finding, "check"> {
  const certificate = new X509Certificate(cert);
  const from = Date.parse(certificate.validFrom);
  const until = Date.parse(certificate.validTo);
  const day = new Date(until).toISOString().slice(0, 10);
  const renew =
    `Renew it with dragoman ca renew CA-DIR ${certificate.serialNumber.toLowerCase()} ` +
    `--install ${directory}, then restart the component`;
  const failed = (detail: string, fix = renew) => ({ state: "failed", detail, fix }) as const;
  if (!certificate.checkPrivateKey(createPrivateKey(key))) {
    return failed("key.pem is not the key of cert.pem");
  }
  if (!certificate.verify(new X509Certificate(ca).publicKey)) {
    return failed("cert.pem is not signed by the authority in ca.pem");
  }
  if (now < from) {
    return failed(`not valid before ${certificate.validFrom}`, "Set this machine's clock right");
  }
  if (now > until) return failed(`expired on ${day}`);
  const days = Math.floor((until - now) / dayMs);
  return days < warnDays
    ? { state: "warning", detail: `expires on ${day}, in ${days} days`, fix: renew }
    : { state: "ok", detail: `valid until ${day}` };
}

/** The certificate authority as the other parts use it. */
export { type AuthorityOptions, createAuthority } from "./authority.ts";
export { installTls } from "./install.ts";
export {
  type CertificateState,
  issueCertificate,
  type IssuedCertificate,
  listCertificates,
  type ListedCertificate,
  renewCertificate,
} from "./issue.ts";
export type { CertificateRequest } from "./request.ts";

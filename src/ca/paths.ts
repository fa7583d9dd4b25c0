import { join, resolve } from "node:path";

/** Where things stand in an authority's directory, beside what every component has. */
export interface AuthorityPaths {
  readonly root: string;
  /** `ca-material/` (0700) */
  readonly material: string;
  readonly cert: string;
  /** PKCS#8, encrypted with the password in `secrets/ca-password`. */
  readonly key: string;
  /** Every certificate that was issued. */
  readonly index: string;
  /** Held by the process that is issuing. */
  readonly lock: string;
  /** `out/` (0700): one folder a certificate. */
  readonly out: string;
}

export function authorityPaths(directory: string): AuthorityPaths {
  const root = resolve(directory);
  const material = join(root, "ca-material");
  return {
    root,
    material,
    cert: join(material, "ca-cert.pem"),
    key: join(material, "ca-key.pem"),
    index: join(material, "index.json"),
    lock: join(material, "index.lock"),
    out: join(root, "out"),
  };
}

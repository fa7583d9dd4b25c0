import { execFile } from "node:child_process";
import { appendFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

/** Where a certificate and its key lie. */
export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
}

/** An authority of the outside world, by openssl, in a directory that is gone in the end. */
export class OutsideAuthority implements AsyncDisposable {
  readonly directory: string;
  readonly ca: string;

  private constructor(directory: string) {
    this.directory = directory;
    this.ca = join(directory, "ca.pem");
  }

  static async open(): Promise<OutsideAuthority> {
    const authority = new OutsideAuthority(await mkdtemp(join(tmpdir(), "dragoman-tls-")));
    const key = join(authority.directory, "ca.key");
    await run("openssl", [
      ...["req", "-x509", ...newKey, "-keyout", key, "-out", authority.ca],
      ...["-subj", "/CN=Outside authority", "-days", "2"],
    ]);
    return authority;
  }

  /** Issues a certificate for these names; issuing it again replaces the files. */
  async issue(name: string, ...dnsNames: readonly string[]): Promise<CertificateFiles> {
    const file = (ending: string) => join(this.directory, `${name}.${ending}`);
    const names = [...dnsNames.map((dns) => `DNS:${dns}`), "IP:127.0.0.1"];
    await run("openssl", [
      ...[
        "req",
        ...newKey,
        "-keyout",
        file("new-key"),
        "-out",
        file("csr"),
        "-subj",
        `/CN=${name}`,
      ],
    ]);
    await writeFile(file("ext"), `subjectAltName=${names.join(",")}\n`);
    await appendFile(file("ext"), "extendedKeyUsage=serverAuth,clientAuth\n");
    await run("openssl", [
      ...["x509", "-req", "-in", file("csr"), "-CA", this.ca],
      ...["-CAkey", join(this.directory, "ca.key"), "-set_serial", String(Date.now())],
      ...["-days", "2", "-extfile", file("ext"), "-out", file("new-cert")],
    ]);
    const paths = { certificate: file("pem"), key: file("key") };
    await run("mv", [file("new-cert"), paths.certificate]);
    await run("mv", [file("new-key"), paths.key]);
    return paths;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }
}

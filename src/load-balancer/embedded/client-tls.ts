import { Buffer } from "node:buffer";
import { X509Certificate } from "node:crypto";
import { createServer as createPlainServer, type Server as PlainServer } from "node:http";
import { createServer as createTlsServer, type ServerOptions } from "node:https";
import type { Duplex } from "node:stream";
import { createSecureContext, type SecureContext } from "node:tls";
import type { ClientTls, TlsFields } from "../certificates.ts";

/** Certificates as clients ask for them by name. */
interface Named {
  /** DNS names in lower case; `*.` stands for one label. */
  readonly names: readonly string[];
  readonly context: SecureContext;
}

/** TLS towards clients: what they are shown, and what they showed. */
export class ClientTlsPort {
  readonly #fields: TlsFields;
  #named: readonly Named[] = [];
  #material: ClientTls;

  constructor(fields: TlsFields, material: ClientTls) {
    this.#fields = fields;
    this.#material = material;
    this.#take(material);
  }

  /** For the server of this port. */
  get options(): ServerOptions {
    const { clientCertificate } = this.#fields;
    return {
      ...this.#defaults(),
      requestCert: clientCertificate !== "none",
      rejectUnauthorized: clientCertificate === "required",
      SNICallback: (name, done) => done(null, this.#contextOf(name)),
    };
  }

  /** From now on new connections get these. */
  renew(material: ClientTls, server: ReturnType<typeof createTlsServer>): void {
    this.#take(material);
    server.setSecureContext(this.#defaults());
  }

  /** True for a client that showed a certificate which is not good; one without may come. */
  isImpostor(socket: Duplex): boolean {
    if (this.#fields.clientCertificate !== "optional") return false;
    return shownBy(socket) !== undefined && !("authorized" in socket && socket.authorized === true);
  }

  /** The client's certificate as RFC 9440 writes it; undefined for a client that showed none. */
  fieldOf(socket: Duplex): string | undefined {
    if (this.#fields.clientCertificate === "none") return undefined;
    const shown = shownBy(socket);
    return shown && `:${Buffer.from(shown).toString("base64")}:`;
  }

  #defaults() {
    const { certificates: [first], clientCa } = this.#material;
    const minVersion = this.#fields.minVersion === "1.3" ? "TLSv1.3" : "TLSv1.2";
    return { ...first, ...(clientCa === undefined ? {} : { ca: clientCa }), minVersion } as const;
  }

  #take(material: ClientTls): void {
    this.#material = material;
    const { minVersion, ca } = { ca: undefined, ...this.#defaults() };
    this.#named = material.certificates.map(({ cert, key }) => ({
      names: dnsNamesOf(cert),
      context: createSecureContext({ cert, key, minVersion, ...(ca === undefined ? {} : { ca }) }),
    }));
  }

  /** Of those that name the host, the most exact; else the first of all. */
  #contextOf(name: string): SecureContext | undefined {
    const exact = name.toLowerCase();
    const wildcard = exact.replace(/^[^.]+/, "*");
    const find = (wanted: string) => this.#named.find(({ names }) => names.includes(wanted));
    return (find(exact) ?? find(wildcard) ?? this.#named[0])?.context;
  }
}

function dnsNamesOf(cert: string): readonly string[] {
  const names = new X509Certificate(cert).subjectAltName?.split(", ") ?? [];
  return names.filter((name) => name.startsWith("DNS:"))
    .map((name) => name.slice("DNS:".length).toLowerCase());
}

function shownBy(socket: Duplex): Uint8Array | undefined {
  if (!("getPeerCertificate" in socket)) return undefined;
  // What the library gives is an empty object for a client that showed none.
  const { raw } = (socket as { getPeerCertificate(): { raw?: Uint8Array } }).getPeerCertificate();
  return raw;
}

/** Sends plain HTTP to where TLS is, method and body included. */
export function createRedirectServer(tlsPort: number): PlainServer {
  const port = tlsPort === 443 ? "" : `:${tlsPort}`;
  return createPlainServer(
    { headersTimeout: 10_000, requestTimeout: 10_000 },
    (request, answer) => {
      const host = request.headers.host?.replace(/:\d+$/, "");
      const { url = "/" } = request;
      answer.setHeader("Connection", "close");
      if (host === undefined || !/^[\w.[\]:-]+$/.test(host) || !url.startsWith("/")) {
        answer.writeHead(400).end();
      } else answer.writeHead(308, { Location: `https://${host}${port}${url}` }).end();
    },
  );
}

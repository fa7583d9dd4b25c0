import { createJsonClient, type JsonClient } from "../mtls/client.ts";
import type { TlsMaterial } from "../mtls/identity.ts";

/** Clients of the other servers' admin APIs, made when first needed and kept. */
export class PeerClients {
  readonly #clients = new Map<string, JsonClient>();
  readonly #tls: TlsMaterial;
  readonly #cluster: string;

  constructor(tls: TlsMaterial, cluster: string) {
    this.#tls = tls;
    this.#cluster = cluster;
  }

  get(baseUrl: string): JsonClient {
    let client = this.#clients.get(baseUrl);
    if (client === undefined) {
      const expect = { cluster: this.#cluster, role: "server" } as const;
      client = createJsonClient({ baseUrl, tls: this.#tls, expect });
      this.#clients.set(baseUrl, client);
    }
    return client;
  }

  close(): void {
    for (const client of this.#clients.values()) client.close();
  }
}

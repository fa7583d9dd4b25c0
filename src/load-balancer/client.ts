import { createJsonClient } from "../mtls/client.ts";
import type { TlsMaterial } from "../mtls/identity.ts";
import type { BalancerStatus, ConfigText, Registration } from "./api.ts";

/**
 * A load balancer's agent, as servers, CLI and web admin see it. Which calls a caller may make
 * depends on its certificate. Every call throws MTLS_* when the agent does not answer and the
 * agent's own BALANCER_* errors when it refuses.
 */
export interface AgentClient {
  health(): Promise<void>;
  status(): Promise<BalancerStatus>;
  /** Announces where a server listens; resolves when the balancer sends traffic there. */
  register(name: string, registration: Registration): Promise<void>;
  /** Takes a server out for good; requests in flight finish. */
  leave(name: string): Promise<void>;
  /** Sends the server nothing new, until `ready` or `register`. */
  drain(name: string): Promise<void>;
  ready(name: string): Promise<void>;
  /** The configuration that the engine runs. */
  config(): Promise<ConfigText>;
  /** Reads the balancer's config.yaml anew and says, by throwing, that it would not run. */
  check(): Promise<void>;
  /**
   * Reads the balancer's config.yaml and certificate anew and makes them live without dropping a
   * connection.
   */
  reload(): Promise<void>;
  /** Ends its connections. */
  close(): void;
}

export interface AgentClientOptions {
  /** `https://host:port` */
  readonly url: string;
  readonly tls: TlsMaterial;
  /** The cluster that the agent's certificate must name. */
  readonly cluster: string;
}

/** HAProxy checks a whole configuration, and for a reload starts anew. */
const slow = { timeoutMs: 30_000 };

/** Cheap: connects with the first call. Throws MTLS_INVALID_ADDRESS. */
export function createAgentClient({ url, tls, cluster }: AgentClientOptions): AgentClient {
  const expect = { cluster, role: "load-balancer" } as const;
  const http = createJsonClient({ baseUrl: url, tls, expect });
  const serverPath = (name: string) => `/v1/servers/${encodeURIComponent(name)}`;
  return {
    health: async () => void await http.get("/v1/health"),
    status: () => http.get<BalancerStatus>("/v1/status"),
    register: async (name, body) => void await http.put(serverPath(name), body),
    leave: async (name) => void await http.delete(serverPath(name)),
    drain: async (name) => void await http.post(`${serverPath(name)}/drain`),
    ready: async (name) => void await http.post(`${serverPath(name)}/ready`),
    config: () => http.get<ConfigText>("/v1/config"),
    check: async () => void await http.post("/v1/check", undefined, slow),
    reload: async () => void await http.post("/v1/reload", undefined, slow),
    close: () => http.close(),
  };
}

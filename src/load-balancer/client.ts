import { createJsonClient, type JsonClient } from "../mtls/client.ts";
import type { TlsMaterial } from "../mtls/identity.ts";
import type {
  BalancerStatistics,
  BalancerStatus,
  ChangeResult,
  ConfigText,
  ConfigurationDiff,
  ConfigurationRequest,
  ConfigurationView,
  HopKeysView,
  Registration,
  Revision,
  RevisionHead,
} from "./api.ts";

/**
 * A load balancer's agent, as servers, CLI and web admin see it. Which calls a caller may make
 * depends on its certificate. Every call throws MTLS_* when the agent does not answer and the
 * agent's own BALANCER_* errors when it refuses.
 */
export interface AgentClient {
  /** `https://host:port`, as it was given. */
  readonly url: string;
  health(): Promise<void>;
  status(): Promise<BalancerStatus>;
  /** What a balancer of this agent shows to servers, or is about to; for servers only. */
  hopKeys(): Promise<readonly string[]>;
  /** Makes a new key towards servers; it is used once they know it. */
  rotateHopKey(): Promise<void>;
  /** Announces where a server listens; resolves when the balancer sends traffic there. */
  register(name: string, registration: Registration): Promise<void>;
  /** Takes a server out for good; requests in flight finish. */
  leave(name: string): Promise<void>;
  /**
   * Sends the server nothing new. From a server: until its `ready` or `register`; from people:
   * until theirs, whatever the server says meanwhile.
   */
  drain(name: string, options?: ChangeOptions): Promise<ChangeResult | undefined>;
  ready(name: string, options?: ChangeOptions): Promise<ChangeResult | undefined>;
  /** As a server's `drain`, where others take its requests; else it throws BALANCER_LAST_SERVER. */
  stepAside(name: string): Promise<void>;
  /** Sends the server nothing at all and does not look at its health, until `ready`. */
  maintenance(name: string, options?: ChangeOptions): Promise<ChangeResult>;
  /** 0 to 256; servers have 100 unless told otherwise. */
  setWeight(name: string, weight: number, options?: ChangeOptions): Promise<ChangeResult>;
  /** Adds a server that does not register by itself; `address` is `host:port`. */
  addServer(name: string, address: string, options?: ChangeOptions): Promise<ChangeResult>;
  /**
   * Takes a server out, with all that was said of it. Only that is passed on to other balancers:
   * where a server registered with several, each has to be asked.
   */
  removeServer(name: string): Promise<ChangeResult>;
  setAlgorithm(algorithm: string, options?: ChangeOptions): Promise<ChangeResult>;
  readonly configuration: ConfigurationClient;
  statistics(): Promise<BalancerStatistics>;
  /** One of HAProxy's own commands that show something; resolves to its answer. */
  command(command: string): Promise<string>;
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

/** What is said with a change. */
interface ChangeOptions {
  /** The reason, for the history. */
  readonly why?: string | undefined;
  /**
   * Also when that undoes what this balancer could not take of another one; else such a change is
   * refused with BALANCER_BEHIND.
   */
  readonly force?: boolean | undefined;
}

/** What people change while the balancer runs, and everything that it was. */
export interface ConfigurationClient {
  show(): Promise<ConfigurationView>;
  /** Throws what `apply` would. */
  check(document: unknown): Promise<void>;
  /** From what holds to a document, or to an earlier revision. */
  diff(to: { readonly document: unknown } | { readonly to: string }): Promise<ConfigurationDiff>;
  apply(request: ConfigurationRequest): Promise<ChangeResult>;
  /** Newest first. */
  history(): Promise<readonly RevisionHead[]>;
  revision(id: string): Promise<Revision>;
  revert(id: string, options?: ChangeOptions): Promise<ChangeResult>;
}

export interface AgentClientOptions {
  /** `https://host:port` */
  readonly url: string;
  readonly tls: TlsMaterial;
  /** The cluster that the agent's certificate must name. */
  readonly cluster: string;
}

/** HAProxy checks a whole configuration, and for a reload starts anew. */
const slow = { timeoutMs: 60_000 };

/** Cheap: connects with the first call. Throws MTLS_INVALID_ADDRESS. */
export function createAgentClient({ url, tls, cluster }: AgentClientOptions): AgentClient {
  const expect = { cluster, role: "load-balancer" } as const;
  const http = createJsonClient({ baseUrl: url, tls, expect });
  const serverPath = (name: string) => `/v1/servers/${encodeURIComponent(name)}`;
  return {
    url,
    health: async () => void await http.get("/v1/health"),
    status: () => http.get<BalancerStatus>("/v1/status"),
    hopKeys: async () => (await http.get<HopKeysView>("/v1/hop-keys")).keys,
    rotateHopKey: async () => void await http.post("/v1/hop-keys/rotate"),
    register: async (name, body) => void await http.put(serverPath(name), body),
    leave: async (name) => void await http.delete(serverPath(name)),
    drain: (name, options = {}) => http.post(`${serverPath(name)}/drain`, options, slow),
    stepAside: async (name) =>
      void await http.post(`${serverPath(name)}/drain`, { ifOthersServe: true }, slow),
    ready: (name, options = {}) => http.post(`${serverPath(name)}/ready`, options, slow),
    maintenance: (name, options = {}) =>
      http.post(`${serverPath(name)}/maintenance`, options, slow),
    setWeight: (name, weight, options) =>
      http.put(`${serverPath(name)}/weight`, { weight, ...options }, slow),
    addServer: (name, address, options) =>
      http.put(`${serverPath(name)}/address`, { address, ...options }, slow),
    removeServer: (name) => http.delete(serverPath(name), slow),
    setAlgorithm: (algorithm, options) =>
      http.put("/v1/algorithm", { algorithm, ...options }, slow),
    configuration: createConfigurationClient(http),
    statistics: () => http.get<BalancerStatistics>("/v1/statistics"),
    command: async (command) =>
      (await http.post<{ readonly answer: string }>("/v1/command", { command })).answer,
    config: () => http.get<ConfigText>("/v1/config"),
    check: async () => void await http.post("/v1/check", undefined, slow),
    reload: async () => void await http.post("/v1/reload", undefined, slow),
    close: () => http.close(),
  };
}

function createConfigurationClient(http: JsonClient): ConfigurationClient {
  const path = "/v1/configuration";
  return {
    show: () => http.get<ConfigurationView>(path),
    check: async (document) => void await http.post(`${path}/check`, { document }, slow),
    diff: (to) => http.post<ConfigurationDiff>(`${path}/diff`, to, slow),
    apply: (request) => http.put<ChangeResult>(path, request, slow),
    history: async () =>
      (await http.get<{ readonly revisions: readonly RevisionHead[] }>(`${path}/history`))
        .revisions,
    revision: (id) => http.get<Revision>(`${path}/history/${encodeURIComponent(id)}`),
    revert: (to, options) => http.post<ChangeResult>(`${path}/revert`, { to, ...options }, slow),
  };
}

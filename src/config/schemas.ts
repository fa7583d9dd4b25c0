import { z } from "zod";
import { logLevels } from "../telemetry/logger.ts";

/** Ports as users know them; `--port-offset` is added to each. */
export const defaultPorts = {
  balancer: 11223,
  balancerAgent: 20151,
  webAdmin: 8183,
  kvdb: 17379,
  /** First server; the next ones count up. */
  server: 17010,
  /** Admin API of the first server; the next ones count up. */
  serverAdmin: 17110,
} as const;

const port = z.int().min(1).max(65_535);
const listen = z.strictObject({ host: z.string().min(1).default("127.0.0.1"), port });
const log = z.strictObject({ level: z.enum(logLevels).default("info") }).prefault({});
const names = {
  name: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/i, "letters, digits, dot, dash, underscore"),
  cluster: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/i, "letters, digits, dash"),
};

/** `development` relaxes nothing that protects data; it adds headers that tell servers apart. */
const environment = z.enum(["development", "production"]).default("production");

/** `server/config.yaml`. Secrets beside it: `cluster.key`, `odb-password`, `kvdb-password`. */
export const serverConfigSchema = z.strictObject({
  ...names,
  environment,
  http: listen.extend({
    /**
     * Speaks TLS only, with the server's certificate of the cluster's authority: for a balancer on
     * another machine.
     */
    tls: z.boolean().default(false),
  }),
  admin: listen,
  /** Processes that share the HTTP port. */
  workers: z.int().min(1).max(256).default(1),
  /** `sqlite:///path`, `postgresql://user@host:port/db` or `mysql://user@host:port/db`. */
  odb: z.strictObject({ url: z.string() }),
  /** `redis://host:port/db`. Absent: changes travel by polling alone. */
  kvdb: z.strictObject({ url: z.string() }).optional(),
  /**
   * Whether the channels are described at `/dragoman/openapi.json` and `/dragoman/docs`, for
   * everybody who reaches the server. Default: in the environment `development` only.
   */
  apiDocs: z.boolean().optional(),
  /**
   * Addresses of proxies that are not ours and whose X-Forwarded-* and Client-Cert headers are
   * believed. The cluster's own balancers need not be here: they prove themselves with a key.
   */
  trustedProxies: z.array(z.string()).default([]),
  /** Absent: the server stands behind a balancer that is configured by hand, or behind none. */
  loadBalancer: z.strictObject({
    /** The balancer's agent; a list where several balancers front the cluster. */
    agentUrl: z.union([z.string(), z.array(z.string()).min(1)]),
    /** The address under which the balancer reaches this server. Default: `http`. */
    advertise: listen.optional(),
    /**
     * Where the balancer asks which share of the requests this server can take; 0: a free port,
     * another one at every start. Connections come from the balancers only.
     */
    weightPort: z.int().min(0).max(65_535).default(0),
  }).optional(),
  /** Directories whose source files are deployed when the server starts, unless they are current. */
  services: z.array(z.string().min(1)).default([]),
  /** A directory that is watched: source files that appear in it are deployed. */
  pickup: z.string().min(1).optional(),
  deployments: z.strictObject({
    /** Versions of a file whose code is kept, to roll back to. */
    keepBundles: z.int().min(1).max(10_000).default(20),
  }).prefault({}),
  /** Invocations that services handed over to be run later. */
  invocations: z.strictObject({
    /** How many this server runs at a time; 0: none. */
    parallel: z.int().min(0).max(1_000).default(16),
    /** Time that each attempt may take. */
    timeoutMs: z.int().min(1).default(300_000),
    keepDoneHours: z.int().min(1).default(24),
    keepFailedDays: z.int().min(1).default(30),
  }).prefault({}),
  /** Runs of jobs. */
  scheduler: z.strictObject({
    /** How many this server runs at a time; 0: none. It may plan for the others all the same. */
    parallel: z.int().min(0).max(10_000).default(200),
    /** How long the history of runs is kept. */
    keepRunsDays: z.int().min(1).default(7),
  }).prefault({}),
  /** Requests that carry an Idempotency-Key. */
  idempotency: z.strictObject({
    /** How long a request that is sent again gets the answer of the first one. */
    keepHours: z.int().min(1).max(8_760).default(24),
  }).prefault({}),
  limits: z.strictObject({
    /** A worker whose event loop does not turn for this long is replaced. */
    stallMs: z.int().min(100).default(10_000),
    /** How long a stopping worker waits for requests in flight. */
    drainMs: z.int().min(0).default(30_000),
    /** Default time a request may take before it is answered with 504. */
    requestMs: z.int().min(1).default(60_000),
    /** Default size a request body may have. */
    bodyBytes: z.int().min(0).default(10 * 1024 * 1024),
    /** When a worker begins to answer requests to channels with 503. */
    overload: z.strictObject({
      /** Requests without an answer that it may have. */
      inFlight: z.int().min(1).default(2_000),
      /** How long requests may have to wait for the processor before new ones are refused. */
      waitMs: z.int().min(1).default(200),
      /** For the length of a burst, waits as long as this are borne. */
      burstMs: z.int().min(1).default(1_000),
    }).prefault({}),
  }).prefault({}),
  log,
});
export type ServerConfig = z.infer<typeof serverConfigSchema>;

const haproxyLines = z.array(z.string().min(1).max(2_000)).max(1_000).default([]);

const certificateFiles = {
  /** PEM: the certificate, then the intermediate ones. Relative to the balancer's directory. */
  certificate: z.string().min(1),
  /** PEM, not encrypted. */
  key: z.string().min(1),
};

/** TLS at the balancer. Files are read at the start and with every reload of the agent. */
const balancerTls = z.strictObject({
  ...certificateFiles,
  /** For other names: a client that asks for one of their names gets it, else the first. */
  moreCertificates: z.array(z.strictObject(certificateFiles)).default([]),
  minVersion: z.enum(["1.2", "1.3"]).default("1.2"),
  /** Default: where the engine can, which is HAProxy. */
  http2: z.boolean().optional(),
  /** Authorities that clients' certificates must come from, PEM. */
  clientCa: z.string().min(1).optional(),
  /** `optional`: a client may come without a certificate, but not with a bad one. */
  clientCertificate: z.enum(["none", "optional", "required"]).default("none"),
  /** Plain HTTP here is redirected to HTTPS. Absent: nobody listens for plain HTTP. */
  redirect: listen.optional(),
}).refine(
  ({ clientCa, clientCertificate }) => clientCertificate === "none" || clientCa !== undefined,
  {
    path: ["clientCa"],
    error: "needed to check clients' certificates",
  },
);

/** How much one client may ask of the balancer. An IPv6 client is its /64 network. */
const balancerLimits = z.strictObject({
  /** Connections that one address may have open. Absent: any number. */
  connectionsPerAddress: z.int().min(1).max(1_000_000).optional(),
  /** Requests that one address may send in `ratePeriodMs`. Absent: any number. */
  requestsPerAddress: z.int().min(1).max(1_000_000_000).optional(),
  ratePeriodMs: z.int().min(100).max(3_600_000).default(10_000),
  /** Size of a request's head. */
  headerBytes: z.int().min(1_024).max(262_144).default(16_384),
});

/** `load-balancer/config.yaml`. */
export const loadBalancerConfigSchema = z.strictObject({
  ...names,
  environment,
  engine: z.enum(["haproxy", "embedded"]),
  /** Default: the `haproxy` found on PATH. */
  haproxyPath: z.string().optional(),
  http: listen,
  /** Absent: clients come by plain HTTP. */
  tls: balancerTls.optional(),
  agent: listen,
  healthCheck: z.strictObject({
    intervalMs: z.int().min(50).default(500),
    /** Checks in a row that bring a server up. */
    rise: z.int().min(1).default(1),
    /** Failed checks in a row that take a server down. */
    fall: z.int().min(1).default(2),
  }).prefault({}),
  timeouts: z.strictObject({
    connectMs: z.int().min(1).default(2_000),
    /** Silence of a client in the middle of a request or response. */
    clientMs: z.int().min(1).default(60_000),
    /** Silence of a server before it answers. */
    serverMs: z.int().min(1).default(60_000),
    /** A whole request head must arrive within this. */
    headersMs: z.int().min(1).default(10_000),
    /**
     * A request's body, or the first 8 KiB of a longer one, must arrive within this. Absent:
     * `clientMs` and the channel's own time limit are what bounds it.
     */
    bodyMs: z.int().min(1).optional(),
    /** An idle client connection is kept this long. */
    keepAliveMs: z.int().min(1).default(60_000),
    /** A WebSocket or other upgraded connection may be silent this long. */
    tunnelMs: z.int().min(1).default(3_600_000),
  }).prefault({}),
  /** Further attempts for a request that may be repeated. */
  retries: z.int().min(0).max(10).default(3),
  maxConnections: z.int().min(1).default(4_000),
  limits: balancerLimits.prefault({}),
  /**
   * How a server is chosen: the least busy of four that are drawn by weight, by turns, the one with
   * the fewest sessions, or always the same one for the same client address, path or header
   * (`hash:header:X-Tenant`). The first leaves a server that has stopped answering alone before
   * anybody knows why, and keeps to the weights, which `leastconn` does only under load.
   */
  algorithm: z.string().regex(
    /^(?:random|roundrobin|leastconn|hash:source|hash:uri|hash:header:[A-Za-z0-9_-]{1,64})$/,
    "random, roundrobin, leastconn, hash:source, hash:uri or hash:header:NAME",
  ).default("random"),
  /** One JSON line for each request: to `log/access.log`, or the agent's standard output. */
  accessLog: z.enum(["off", "file", "stdout"]).default("off"),
  /** Lines of HAProxy's own language that stand behind those that the agent writes. */
  lines: z.strictObject({
    global: haproxyLines,
    defaults: haproxyLines,
    frontend: haproxyLines,
    backend: haproxyLines,
    /** Whole sections of your own, such as `userlist` or `resolvers`. */
    sections: haproxyLines,
  }).prefault({}),
  /** Agents of the other balancers in front of the same cluster, which are kept in step. */
  peers: z.array(z.string()).default([]),
  log,
});
export type LoadBalancerConfig = z.infer<typeof loadBalancerConfigSchema>;

/** `kvdb/config.yaml`. Secret beside it: `kvdb-password`. */
export const kvdbConfigSchema = z.strictObject({
  name: names.name,
  engine: z.enum(["embedded", "redis"]),
  /** Program of the `redis` engine. Default: `redis-server` or `valkey-server` found on PATH. */
  serverPath: z.string().optional(),
  listen,
  log,
});
export type KvdbConfig = z.infer<typeof kvdbConfigSchema>;

/** `web-admin/config.yaml`. Users and sessions are in `state/web-admin.db`. */
export const webAdminConfigSchema = z.strictObject({
  name: names.name,
  http: listen,
  /** TLS termination in front of it: cookies get `Secure`. */
  behindTls: z.boolean().default(false),
  clusters: z.array(z.strictObject({
    name: names.cluster,
    environment,
    /** Admin APIs to begin with; further servers are learnt from them. */
    adminUrls: z.array(z.string()).min(1),
    agentUrl: z.string().optional(),
  })).min(1),
  session: z.strictObject({
    idleMinutes: z.int().min(1).default(60),
    absoluteHours: z.int().min(1).default(12),
  }).prefault({}),
  log,
});
export type WebAdminConfig = z.infer<typeof webAdminConfigSchema>;

/**
 * `config.yaml` of an environment directory (what quickstart makes, and what `--env` takes): the
 * parts of one cluster on this machine in the order in which they start, and how to reach its
 * admin APIs. Its `tls/` holds the operator's certificate.
 */
export const environmentConfigSchema = z.strictObject({
  cluster: names.cluster,
  environment,
  components: z.array(z.strictObject({
    name: names.name,
    component: z.enum(["kvdb", "load-balancer", "server", "web-admin"]),
    /** Relative to the environment directory, or absolute. */
    directory: z.string(),
  })),
  adminUrls: z.array(z.string()).min(1),
  /** A list where several balancers front the cluster. */
  agentUrl: z.union([z.string(), z.array(z.string()).min(1)]).optional(),
  balancerUrl: z.string().optional(),
  webAdminUrl: z.string().optional(),
});
export type EnvironmentConfig = z.infer<typeof environmentConfigSchema>;

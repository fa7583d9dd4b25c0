import { createServer, type Server } from "node:http";
import { componentPaths } from "../../src/config/component.ts";
import type { RunningComponent } from "../../src/config/running-component.ts";
import type { WebAdminConfig } from "../../src/config/schemas.ts";
import { PlatformError, reasonOf } from "../../src/errors/platform-error.ts";
import type { Logger } from "../../src/telemetry/logger.ts";
import type { AdminAccess } from "./admin-access.ts";
import { createApiRoutes } from "./api-routes.ts";
import { openDatabase } from "./database.ts";
import { createDeployments } from "./deployments.ts";
import { EventStreams } from "./events.ts";
import { createJobs } from "./jobs.ts";
import { createLogIn } from "./login.ts";
import type { ClusterSource } from "./overview/readings.ts";
import { ClusterWatch } from "./overview/watch.ts";
import { createRequestHandler } from "./http/request-handler.ts";
import { createSessionCookie } from "./http/session-cookie.ts";
import { SessionStore } from "./sessions.ts";
import { StaticFiles } from "./http/static-files.ts";
import { hasUsers } from "./users.ts";

export interface ConsoleOptions {
  /** The component's directory: users and sessions are in its `state/`. */
  readonly directory: string;
  readonly config: WebAdminConfig;
  /** The built pages. */
  readonly pagesDirectory: string;
  readonly openSource: (cluster: WebAdminConfig["clusters"][number]) => Promise<ClusterSource>;
  readonly accessTo: (cluster: WebAdminConfig["clusters"][number]) => AdminAccess;
  readonly logger: Logger;
}

/** Starts the console on its port; throws WEB_ADMIN_CANNOT_LISTEN. */
export async function startConsole(options: ConsoleOptions): Promise<RunningComponent> {
  const { directory, config, logger } = options;
  const database = openDatabase(directory);
  const watches = createWatches(options);
  const sessions = new SessionStore(database, {
    idleMs: config.session.idleMinutes * 60_000,
    absoluteMs: config.session.absoluteHours * 3_600_000,
  });
  const streams = new EventStreams(sessions);
  const cookie = createSessionCookie({ port: config.http.port, behindTls: config.behindTls });
  const logIn = await createLogIn({ database, logger });
  const files = new StaticFiles(options.pagesDirectory);
  await files.load().catch((error) => logger.error(reasonOf(error), { advice: error.advice }));
  if (!hasUsers(database)) {
    logger.warn("nobody can log in: there is no user yet", { advice: "Create a user" });
  }
  const ofEach = <T>(make: (access: AdminAccess) => T): ReadonlyMap<string, T> =>
    new Map(config.clusters.map((cluster) => [cluster.name, make(options.accessTo(cluster))]));
  const wishes = { deployments: ofEach(createDeployments), jobs: ofEach(createJobs) };
  const parts = { config, sessions, cookie, logIn, streams, watches, ...wishes, logger };
  const routes = createApiRoutes(parts);
  const server = createServer(createRequestHandler({
    routes,
    files,
    sessions,
    cookie,
    behindTls: config.behindTls,
    logger,
  }));
  server.headersTimeout = 10_000;
  server.requestTimeout = 20_000;
  const stop = async () => {
    for (const watch of watches.values()) watch.stop();
    streams.endAll();
    await closeServer(server);
    if (database.isOpen) database.close();
  };
  await listen(server, config, directory).catch(async (error) => {
    await stop();
    throw error;
  });
  const url = `http://${config.http.host}:${config.http.port}/`;
  logger.info("web admin listens", { url, clusters: config.clusters.map(({ name }) => name) });
  const failed = new Promise<never>(() => {}); // nothing here can die alone
  return { ports: { http: config.http.port }, failed, stop };
}

function createWatches(options: ConsoleOptions): ReadonlyMap<string, ClusterWatch> {
  const { config, openSource, logger } = options;
  return new Map(config.clusters.map((cluster) => [
    cluster.name,
    new ClusterWatch({ cluster, openSource: () => openSource(cluster), logger }),
  ]));
}

function listen(server: Server, { http }: WebAdminConfig, directory: string): Promise<void> {
  const { config: file } = componentPaths(directory);
  return new Promise((resolve, reject) => {
    server.once("error", (error) => {
      const address = `${http.host}:${http.port}`;
      const params = { address, reason: reasonOf(error), file };
      reject(new PlatformError("WEB_ADMIN_CANNOT_LISTEN", params, { cause: error }));
    });
    server.listen(http.port, http.host, resolve);
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    if (!server.listening) return resolve();
    server.close(() => resolve());
    // Streams have been ended; what is left are idle connections and requests of a moment.
    server.closeIdleConnections();
    setTimeout(() => server.closeAllConnections(), 1_000).unref();
  });
}

import { readFile } from "node:fs/promises";
import { z } from "zod";
import { PlatformError, reasonOf } from "../../errors/platform-error.ts";
import { writeFileAtomic } from "../../lib/atomic-file.ts";
import { nearestName } from "../../lib/nearest-name.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { Registration } from "../api.ts";
import type { BackendServer, BalancerEngine } from "../engine.ts";
import { createSerial } from "../serial.ts";
import { parseRegistration, parseServerName } from "./registration.ts";

const fileSchema = z.array(z.object({
  name: z.string(),
  host: z.string(),
  port: z.number(),
  draining: z.boolean(),
}));

export interface ServerListOptions {
  /** `state/servers.json` */
  readonly file: string;
  readonly engine: Pick<BalancerEngine, "setServers">;
  readonly logger: Logger;
}

/**
 * The servers that the balancer should have. Every change is live in the engine, and remembered
 * for the next start, when its promise resolves; changes happen one after the other.
 */
export class ServerList {
  readonly #options: ServerListOptions;
  readonly #serial = createSerial();
  #servers: readonly BackendServer[];

  constructor(servers: readonly BackendServer[], options: ServerListOptions) {
    this.#servers = servers;
    this.#options = options;
  }

  /** Adds a server, moves it to another address, ends its draining; or changes nothing. */
  register(name: string, { host, port }: Registration): Promise<void> {
    return this.#change("server registered", (servers) => [
      ...servers.filter((server) => server.name !== name),
      { name, host, port, draining: false },
    ]);
  }

  /** Takes a server out for good; one that is not there is out already. */
  leave(name: string): Promise<void> {
    return this.#change("server left", (servers) => servers.filter((one) => one.name !== name));
  }

  /** Throws BALANCER_NO_SUCH_SERVER. */
  setDraining(name: string, draining: boolean): Promise<void> {
    return this.#change(draining ? "server drains" : "server is ready", (servers) => {
      if (!servers.some((server) => server.name === name)) throw this.#unknown(name);
      return servers.map((server) => server.name === name ? { ...server, draining } : server);
    });
  }

  #change(
    what: string,
    next: (servers: readonly BackendServer[]) => readonly BackendServer[],
  ): Promise<void> {
    return this.#serial(async () => {
      const servers = next(this.#servers).toSorted((a, b) => (a.name < b.name ? -1 : 1));
      // The engine is asked even when nothing differs: a host's address may have changed.
      await this.#options.engine.setServers(servers);
      const text = render(servers);
      if (text === render(this.#servers)) return;
      this.#servers = servers;
      await writeFileAtomic(this.#options.file, text);
      this.#options.logger.info(what, { servers: servers.map(describe) });
    });
  }

  #unknown(name: string): PlatformError {
    const near = nearestName(name, this.#servers.map((server) => server.name));
    const hint = near === undefined ? "" : `; did you mean "${near}"?`;
    return new PlatformError("BALANCER_NO_SUCH_SERVER", { name, hint });
  }
}

/** Reads the servers remembered by the agent before. Throws BALANCER_STATE_UNREADABLE. */
export async function loadServers(file: string): Promise<readonly BackendServer[]> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw unreadable(file, error);
  }
  try {
    const servers = fileSchema.parse(JSON.parse(text));
    return servers.map(({ name, host, port, draining }) => ({
      name: parseServerName(name),
      ...parseRegistration({ host, port }),
      draining,
    }));
  } catch (error) {
    throw unreadable(file, error);
  }
}

function unreadable(file: string, cause: unknown): PlatformError {
  const reason = cause instanceof z.ZodError ? z.prettifyError(cause) : reasonOf(cause);
  return new PlatformError("BALANCER_STATE_UNREADABLE", { file, reason }, { cause });
}

function render(servers: readonly BackendServer[]): string {
  return JSON.stringify(servers, null, 2) + "\n";
}

function describe({ name, host, port, draining }: BackendServer): string {
  return `${name} ${host}:${port}${draining ? " draining" : ""}`;
}

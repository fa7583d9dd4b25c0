import { readFile } from "node:fs/promises";
import { z } from "zod";
import { PlatformError, reasonOf } from "../../errors/platform-error.ts";
import type { ConfigDocument, Registration } from "../api.ts";
import { parseAddress } from "../configuration/document.ts";
import type { BackendServer } from "../engine.ts";
import { parseRegistration, parseServerName } from "./registration.ts";

/** A server that said where it listens; `draining` is what it says of itself. */
export interface RegisteredServer extends Registration {
  readonly name: string;
  readonly draining: boolean;
}

const fileSchema = z.array(z.looseObject({ name: z.string(), draining: z.boolean() }));

/** Reads the servers remembered by the agent before. Throws BALANCER_STATE_UNREADABLE. */
export async function loadServers(file: string): Promise<readonly RegisteredServer[]> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw unreadable(file, error);
  }
  try {
    return fileSchema.parse(JSON.parse(text)).map(({ name, draining, ...registration }) => ({
      name: parseServerName(name),
      ...parseRegistration(registration),
      draining,
    }));
  } catch (error) {
    throw unreadable(file, error);
  }
}

/** The text of the file that `loadServers` reads. */
export function renderServers(servers: readonly RegisteredServer[]): string {
  return JSON.stringify(servers, null, 2) + "\n";
}

/**
 * The servers that the balancer is to have: those that registered and those that were added by
 * hand, with what operators asked for. Where both give an address the server's own word counts.
 */
export function mergeServers(
  registered: readonly RegisteredServer[],
  { servers: settings = {} }: ConfigDocument,
): readonly BackendServer[] {
  const added = Object.entries(settings).flatMap(([name, { address }]) => {
    const place = address === undefined ? undefined : parseAddress(address);
    if (place === undefined || registered.some((one) => one.name === name)) return [];
    return [{ name, ...place, draining: false }];
  });
  return [...registered, ...added].map((server) => {
    const { state = "ready", weight } = settings[server.name] ?? {};
    return {
      ...server,
      draining: server.draining || state === "drain",
      ...(state === "maintenance" ? { maintenance: true } : {}),
      ...(weight === undefined ? {} : { weight }),
    };
  }).toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function unreadable(file: string, cause: unknown): PlatformError {
  const reason = cause instanceof z.ZodError ? z.prettifyError(cause) : reasonOf(cause);
  return new PlatformError("BALANCER_STATE_UNREADABLE", { file, reason }, { cause });
}

import { fileURLToPath } from "node:url";
import { loadConfig, loadMarker } from "../../src/config/component.ts";
import type { RunComponent } from "../../src/config/running-component.ts";
import { webAdminConfigSchema } from "../../src/config/schemas.ts";
import { createJsonClient } from "../../src/mtls/client.ts";
import { loadTls } from "../../src/mtls/tls-material.ts";
import { startConsole } from "./console.ts";
import { createAdminSource, type KnownServers } from "./overview/admin-source.ts";

/** An admin API or agent that takes longer is shown as not answering. */
const lookTimeoutMs = 2_000;

const pagesDirectory = fileURLToPath(new URL("../dist", import.meta.url));

/**
 * Runs the web admin of a directory: its pages and their API over HTTP, and itself a client of the
 * clusters over mutual TLS. It starts, and lets people in, whatever state those are in.
 * Throws CONFIG_*, WEB_ADMIN_CANNOT_LISTEN.
 */
export const runWebAdmin: RunComponent = async (directory, { logger }) => {
  await loadMarker(directory, "web-admin");
  const config = await loadConfig(directory, webAdminConfigSchema);
  const known = new Map<string, KnownServers>(config.clusters.map(({ name }) => [name, new Map()]));
  return startConsole({
    directory,
    config,
    pagesDirectory,
    logger,
    accessTo: ({ name, adminUrls }) => ({
      cluster: name,
      adminUrls: () => [...new Set([...adminUrls, ...(known.get(name)?.keys() ?? [])])],
      connect: async (baseUrl) => {
        const expect = { cluster: name, role: "server" } as const;
        return createJsonClient({ baseUrl, tls: await loadTls(directory), expect });
      },
    }),
    async openSource({ name, adminUrls, agentUrl }) {
      const tls = await loadTls(directory);
      return createAdminSource({
        adminUrls,
        agentUrl,
        known: known.get(name) ?? new Map(),
        connect: (baseUrl, role) => {
          const expect = { cluster: name, role };
          return createJsonClient({ baseUrl, tls, expect, timeoutMs: lookTimeoutMs });
        },
      });
    },
  });
};

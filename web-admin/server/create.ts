import { componentPaths, createComponent, isEmptyDirectory } from "../../src/config/component.ts";
import { type WebAdminConfig, webAdminConfigSchema } from "../../src/config/schemas.ts";
import { validateSource } from "../../src/config/yaml-source.ts";
import { PlatformError } from "../../src/errors/platform-error.ts";
import { openDatabase } from "./database.ts";

/** What `createWebAdmin` needs to know; the rest of the configuration has defaults. */
export interface CreateWebAdminOptions {
  readonly name: string;
  readonly http: { readonly host?: string; readonly port: number };
  readonly clusters: readonly {
    readonly name: string;
    readonly environment: WebAdminConfig["clusters"][number]["environment"];
    readonly adminUrls: readonly string[];
    readonly agentUrl?: string;
  }[];
  /** TLS ends in front of the console. Default false. */
  readonly behindTls?: boolean;
}

/**
 * Makes the directory of a web admin, with no user in it yet. Its certificate is installed
 * afterwards into `tls/`. Throws CONFIG_INVALID when the options break the schema and
 * WEB_ADMIN_DIRECTORY_NOT_EMPTY when something is there already.
 */
export async function createWebAdmin(
  directory: string,
  { name, http, clusters, behindTls = false }: CreateWebAdminOptions,
): Promise<void> {
  const { config: file, root } = componentPaths(directory);
  if (!await isEmptyDirectory(root)) {
    throw new PlatformError("WEB_ADMIN_DIRECTORY_NOT_EMPTY", { directory: root });
  }
  const config = { name, http: { host: "127.0.0.1", ...http }, behindTls, clusters };
  validateSource(webAdminConfigSchema, { file, value: config, locate: () => file });
  await createComponent(root, { component: "web-admin", config });
  openDatabase(root).close();
}

import { copyFile, mkdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadText } from "../../config/yaml-source.ts";
import { PlatformError } from "../../errors/platform-error.ts";
import { applyObjects } from "../cluster/apply-objects.ts";
import { deployFiles } from "../cluster/deploy-files.ts";
import type { Environment } from "../cluster/environment.ts";

/** The demo's files, as the environment has them for the user to change and deploy again. */
const demoFiles = { service: "demo-hello.ts", objects: "objects.yaml" } as const;

/** Puts the demo into `services/` of an environment, to be deployed when it first runs. */
export async function layDemo(directory: string): Promise<void> {
  await mkdir(join(directory, "services"), { recursive: true });
  for (const file of Object.values(demoFiles)) {
    const source = originalOf(file);
    const target = join(directory, "services", file);
    // What the user has made of it survives an environment that is made anew.
    if (!await exists(target)) await copyFile(source, target);
  }
  await mkdir(join(directory, "state"), { recursive: true });
  await writeFile(pendingFile(directory), "services are deployed when the environment starts\n");
}

/** Deploys what `layDemo` put there, once. Throws CLI_DEPLOY_REJECTED and what deploying throws. */
export async function deployPending(
  environment: Environment,
  env: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const { directory } = environment;
  const pending = pendingFile(directory);
  if (!await exists(pending)) return;
  const services = join(directory, "services");
  const result = await deployFiles(environment, [join(services, demoFiles.service)]);
  if (result.outcome === "rejected") {
    const reason = result.servers.find((server) => server.reason !== undefined)?.reason ??
      "unknown";
    throw new PlatformError("CLI_DEPLOY_REJECTED", { reason });
  }
  const file = join(services, demoFiles.objects);
  await applyObjects(environment, { text: await loadText(file), file }, env);
  await rm(pending, { force: true });
}

/** Removes the demo's files, but for those that the user has changed. */
export async function removeDemo(directory: string): Promise<void> {
  for (const file of Object.values(demoFiles)) {
    const path = join(directory, "services", file);
    if (!await exists(path)) continue;
    if (await loadText(path) === await loadText(originalOf(file))) await rm(path);
  }
}

function originalOf(file: string): string {
  // A deployed file is known by its name, and a user's first one may well be called hello.ts.
  const name = file.replace(/^demo-/, "");
  return fileURLToPath(new URL(`../../../examples/hello/${name}`, import.meta.url));
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(() => true, () => false);
}

function pendingFile(directory: string): string {
  return join(directory, "state", "services-to-deploy");
}

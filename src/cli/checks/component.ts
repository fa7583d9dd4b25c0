import { stat } from "node:fs/promises";
import { componentPaths, loadConfig, loadSecret } from "../../config/component.ts";
import { type ServerConfig, serverConfigSchema } from "../../config/schemas.ts";
import { PlatformError } from "../../errors/platform-error.ts";
import { isPortFree } from "../../lib/ports.ts";
import { silentLogger } from "../../telemetry/logger.ts";
import type { Component, ComponentSet } from "../lifecycle/component.ts";
import { describePortHolder } from "../lifecycle/port-holder.ts";
import { componentStatus } from "../lifecycle/state.ts";
import { checkCertificate } from "./certificate.ts";
import { type Finding, finding } from "./finding.ts";
import { withServerOdb } from "./server-odb.ts";

/** Checks every component of a directory; for an environment its own certificate, too. */
export async function checkSet(set: ComponentSet): Promise<readonly Finding[]> {
  const own = set.environment === undefined
    ? []
    : [checkCertificate("operator", set.root), checkSecrets("operator", set.root)];
  const all = await Promise.all([
    Promise.all(own),
    ...set.components.map(checkComponent),
  ]);
  return all.flat();
}

/** Checks one component: configuration, process and ports, certificate, ODB and KVDB. */
async function checkComponent(component: Component): Promise<readonly Finding[]> {
  const { name, directory, kind } = component;
  const checks = [
    finding(`${name}: configuration`, () => Promise.resolve(componentPaths(directory).config)),
    checkSecrets(name, directory),
    checkProcess(component),
  ];
  if (kind !== "kvdb") checks.push(checkCertificate(name, directory));
  if (kind === "server") {
    const config = await loadConfig(directory, serverConfigSchema);
    checks.push(checkOdb(component, config));
    if (config.kvdb !== undefined) checks.push(checkKvdb(component, config));
  }
  return await Promise.all(checks);
}

function checkSecrets(name: string, directory: string): Promise<Finding> {
  return finding(`${name}: secrets`, async () => {
    const { secrets, tls } = componentPaths(directory);
    for (const folder of [secrets, tls]) {
      const mode = (await stat(folder)).mode & 0o077;
      if (mode === 0) continue;
      const detail = `${folder} can be read by other users`;
      return { state: "failed", detail, fix: `Run chmod 700 ${folder}` };
    }
    return "only their owner can read them";
  });
}

function checkProcess(component: Component): Promise<Finding> {
  const { name, directory, endpoints } = component;
  return finding(`${name}: process`, async () => {
    const status = await componentStatus(component);
    const ports = endpoints.map(({ port }) => port).join(", ");
    if (status.state === "running") return `running as process ${status.pid}, ports ${ports}`;
    const fix = `Run dragoman start ${directory}`;
    if (status.state === "unresponsive") {
      const detail = `process ${status.pid} does not answer: ${status.reason}`;
      return { state: "failed", detail, fix: `Run dragoman restart ${directory}` };
    }
    for (const { port, host } of endpoints) {
      if (await isPortFree(port, host)) continue;
      const detail = `stopped, and port ${port} is taken by ${await describePortHolder(port)}`;
      return { state: "failed", detail, fix: "Stop what holds it, or set another port" };
    }
    if (status.state === "stopped") return `stopped, ports ${ports} are free`;
    const detail = `crashed; its log is ${component.logFile}`;
    return { state: "failed", detail, fix };
  });
}

function checkOdb({ name, directory }: Component, config: ServerConfig): Promise<Finding> {
  return finding(`${name}: ODB`, async () => {
    const { parseClusterKey, verifyKeyCheck } = await import("../../security/cluster-key.ts");
    const key = parseClusterKey(await loadSecret(directory, "cluster.key") ?? "");
    return await withServerOdb(directory, async (odb) => {
      await odb.checkSchema();
      const { row } = await odb.cluster(config.cluster);
      if (!verifyKeyCheck(row.keyCheck, key)) {
        throw new PlatformError("SERVER_WRONG_KEY", { server: name, cluster: config.cluster });
      }
      return `${odb.dialect} at ${odb.address}, revision ${row.revision}`;
    });
  });
}

function checkKvdb({ name, directory }: Component, config: ServerConfig): Promise<Finding> {
  return finding(`${name}: KVDB`, async () => {
    const { openKvdb } = await import("../../kvdb/client.ts");
    const url = config.kvdb?.url ?? "";
    const password = await loadSecret(directory, "kvdb-password");
    const kvdb = openKvdb({ url, password, cluster: config.cluster, logger: silentLogger });
    try {
      await kvdb.ping();
      return `answers at ${url}`;
    } catch (error) {
      // Servers run on without it.
      const { detail, fix } = await finding("", () => Promise.reject(error));
      return { state: "warning", detail, ...(fix === undefined ? {} : { fix }) };
    } finally {
      await kvdb.close();
    }
  });
}

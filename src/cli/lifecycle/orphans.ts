import { componentPaths } from "../../config/component.ts";
import type { Component } from "./component.ts";

/**
 * True while a program runs that a component started and, killed, left behind: HAProxy or
 * redis-server. The component's next start takes it over or ends it. (A server's workers end by
 * themselves.)
 */
export async function hasOrphans(component: Component): Promise<boolean> {
  const paths = componentPaths(component.directory);
  if (component.kind === "load-balancer") {
    const { loadLeftovers, processRecordFile } = await balancerRecords();
    return await loadLeftovers(processRecordFile(paths.run)) !== undefined;
  }
  if (component.kind !== "kvdb") return false;
  const { findStrayProcess, redisPidFile } = await kvdbRecords();
  return await findStrayProcess(redisPidFile(paths)) !== undefined;
}

/** Ends them, for whoever stops or deletes the component. */
export async function endOrphans(component: Component): Promise<void> {
  if (component.kind === "load-balancer") {
    const { endLeftovers } = await balancerRecords();
    await endLeftovers(component.directory);
  } else if (component.kind === "kvdb") {
    const { endStrayProcess, redisPidFile } = await kvdbRecords();
    await endStrayProcess(redisPidFile(componentPaths(component.directory)));
  }
}

// Imported when needed: most commands start and stop nothing.
function balancerRecords() {
  return import("../../load-balancer/haproxy/process-record.ts");
}

async function kvdbRecords() {
  return { ...await import("../../kvdb/stray-process.ts"), ...await import("../../kvdb/run.ts") };
}

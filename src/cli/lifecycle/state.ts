import { type Component, type ComponentSet, type RunnableKind } from "./component.ts";
import { readPidFile } from "./pid-file.ts";
import { probeComponent } from "./probe.ts";

/**
 * `running`: its process lives and it answers; `unresponsive`: it lives and does not answer;
 * `crashed`: it ended without being stopped; `stopped`.
 */
type ComponentState = "running" | "unresponsive" | "crashed" | "stopped";

export interface ComponentStatus {
  readonly name: string;
  readonly component: RunnableKind;
  readonly state: ComponentState;
  /** Null unless its process lives. */
  readonly pid: number | null;
  readonly uptimeSeconds: number | null;
  /** Use -> port. */
  readonly ports: Readonly<Record<string, number>>;
  readonly directory: string;
  /** Why it is unresponsive. */
  readonly reason?: string;
}

/** What `status -o json` prints. */
export interface SetStatus {
  /** The directory that was asked about. */
  readonly environment: string;
  /** `partial`: some components run and some do not. */
  readonly state: "running" | "partial" | "stopped";
  readonly components: readonly ComponentStatus[];
}

export async function componentStatus(component: Component): Promise<ComponentStatus> {
  const owner = await readPidFile(component.pidFile);
  const { name, kind, directory, endpoints } = component;
  const ports = Object.fromEntries(endpoints.map(({ use, port }) => [use, port]));
  const base = { name, component: kind, directory, ports };
  if (owner?.alive !== true) {
    const state = owner === undefined ? "stopped" : "crashed";
    return { ...base, state, pid: null, uptimeSeconds: null };
  }
  const reason = await probeComponent(component);
  const uptimeSeconds = Math.max(0, Math.round((Date.now() - Date.parse(owner.startedAt)) / 1000));
  const running = { ...base, pid: owner.pid, uptimeSeconds };
  return reason === undefined
    ? { ...running, state: "running" }
    : { ...running, state: "unresponsive", reason };
}

export async function setStatus({ root, components }: ComponentSet): Promise<SetStatus> {
  const statuses = await Promise.all(components.map(componentStatus));
  return { environment: root, state: summarise(statuses), components: statuses };
}

function summarise(statuses: readonly ComponentStatus[]): SetStatus["state"] {
  if (statuses.every(({ state }) => state === "running")) return "running";
  return statuses.every(({ pid }) => pid === null) ? "stopped" : "partial";
}

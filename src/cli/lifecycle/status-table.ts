import { formatDuration, type Table } from "../output.ts";
import type { SetStatus } from "./state.ts";

/** Components, their state, process and ports as people read them. */
export function statusTable({ components }: SetStatus): Table {
  return {
    columns: ["name", "component", "state", "pid", "uptime", "ports", "directory"],
    rows: components.map((component) => [
      component.name,
      component.component,
      component.reason === undefined ? component.state : `${component.state}: ${component.reason}`,
      component.pid ?? "-",
      component.uptimeSeconds === null ? "-" : formatDuration(component.uptimeSeconds),
      Object.entries(component.ports).map(([use, port]) => `${use} ${port}`).join(", "),
      component.directory,
    ]),
  };
}

import type { CommandIo } from "../io.ts";
import { paint } from "../output.ts";
import { type Component, kindTitle } from "./component.ts";
import type { SetProgress } from "./component-set.ts";

/** Tells on standard error what became of each component, one line each. */
export function printProgress(io: CommandIo): SetProgress {
  return {
    ends(component, outcome) {
      const text = `${describeComponent(component)}: ${outcome}`;
      const line = outcome === "killed"
        ? warning(io, `${text}, it did not finish within ${component.drainMs} ms`)
        : text;
      io.stderr.write(`${line}\n`);
    },
  };
}

/** `Server "server1" (17010, 17110)`. */
function describeComponent({ kind, name, endpoints }: Component): string {
  return `${kindTitle(kind)} "${name}" (${endpoints.map(({ port }) => port).join(", ")})`;
}

function warning(io: CommandIo, text: string): string {
  const label = io.stderr.colour ? paint("yellow", "Warning:") : "Warning:";
  return `${label} ${text}`;
}

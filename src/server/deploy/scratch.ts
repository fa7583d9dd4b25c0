import { basename, dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { reasonOf } from "../../errors/platform-error.ts";
import type { ServiceDescription } from "../../odb/types.ts";
import { describeService, loadBundle } from "../worker/bundle-loader.ts";

/** What the scratch process answers. */
export type ScratchResult =
  | { readonly ok: true; readonly services: readonly ServiceDescription[] }
  | { readonly ok: false; readonly reason: string };

// A process of its own, so that a bundle that hangs, exits or changes globals harms nobody.
process.once("message", async (path: string) => {
  // It does not end itself: a message that was just sent could be lost with it. Who asked ends it.
  process.send?.(await tryBundle(path));
});
process.once("disconnect", () => process.exit(0));

async function tryBundle(path: string): Promise<ScratchResult> {
  try {
    const { services } = await loadBundle(path);
    return { ok: true, services: services.map(describeService) };
  } catch (error) {
    return { ok: false, reason: `${reasonOf(error)}${placeOf(error, dirname(path))}` };
  }
}

/** ` (hello.ts:7:9)`: the topmost frame of the author's code, which maps lead back to. */
function placeOf(error: unknown, directory: string): string {
  if (!(error instanceof Error)) return "";
  for (
    const [, url, line, column] of error.stack?.matchAll(/(file:\/\/[^\s)]+?):(\d+):(\d+)/g) ?? []
  ) {
    const path = fileURLToPath(url!);
    if (dirname(path).startsWith(directory)) return ` (${basename(path)}:${line}:${column})`;
  }
  return "";
}

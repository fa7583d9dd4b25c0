import { fileURLToPath } from "node:url";

/** Program and arguments that run this command line anew in a process of its own. */
export function runtimeCommand(
  words: readonly string[],
): { readonly program: string; readonly words: readonly string[] } {
  const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
  // The same as in the launcher script.
  const runtime = ["run", "-A", "--quiet", "--no-prompt", "--cached-only"];
  const config = ["--config", path("../../../deno.json")];
  return {
    // Linux marks a program that was replaced since this process began.
    program: process.execPath.replace(/ \(deleted\)$/, ""),
    words: [...runtime, ...config, path("../main.ts"), ...words],
  };
}

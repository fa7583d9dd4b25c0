import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { PlatformError } from "../../errors/platform-error.ts";
import type { ServiceDescription } from "../../odb/types.ts";
import type { BundleFile } from "../worker/protocol.ts";
import type { ScratchResult } from "./scratch.ts";

/** How long a module's top-level code may take. */
const loadLimitMs = 15_000;

/**
 * Loads a bundle in a process of its own and says which services it has. Throws DEPLOY_LOAD with
 * the author's file and line, or DEPLOY_TIMEOUT.
 */
export function tryBundle({ file, path }: BundleFile): Promise<readonly ServiceDescription[]> {
  const child = fork(fileURLToPath(import.meta.resolve("./scratch.ts")), {
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  // Whatever the module prints is not ours; unread pipes would block it.
  child.stdout?.resume();
  let words = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    words = (words + text).slice(-2_000);
  });
  return new Promise((resolve, reject) => {
    const fail = (error: PlatformError) => {
      clearTimeout(timer);
      child.kill("SIGKILL");
      reject(error);
    };
    const timer = setTimeout(
      () => fail(new PlatformError("DEPLOY_TIMEOUT", { file, seconds: loadLimitMs / 1_000 })),
      loadLimitMs,
    );
    child.once("message", (result: ScratchResult) => {
      clearTimeout(timer);
      child.kill("SIGKILL");
      if (result.ok) resolve(result.services);
      else reject(new PlatformError("DEPLOY_LOAD", { file, reason: result.reason }));
    });
    child.once(
      "error",
      (error) =>
        fail(new PlatformError("DEPLOY_LOAD", { file, reason: error.message }, { cause: error })),
    );
    child.once("exit", (code, signal) => {
      const reason = `It ended the process (${signal ?? `exit code ${code}`}) ${words.trim()}`
        .trim();
      fail(new PlatformError("DEPLOY_LOAD", { file, reason }));
    });
    child.send(path);
  });
}

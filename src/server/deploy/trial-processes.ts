import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { PlatformError } from "../../errors/platform-error.ts";
import type { ServiceDescription } from "../../odb/types.ts";
import type { BundleFile } from "../worker/protocol.ts";
import { loadLimitMs } from "./bundle-files.ts";
import type { ScratchResult } from "./scratch.ts";

/** When a spare process is started after a trial: not while the deployment goes on. */
const prepareMs = 1_000;
/** How long a spare process waits for the next trial: who deploys often does it again soon. */
const spareMs = 120_000;

/**
 * Loads bundles in processes of their own, one for each, so that a bundle that hangs, exits or
 * changes globals harms nobody. After a trial a process is kept in stock for a while, because
 * starting one is what takes the time.
 */
export class TrialProcesses implements AsyncDisposable {
  #spare: ChildProcess | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;

  /**
   * The services of a bundle. Rejects with DEPLOY_LOAD, which names the author's file and line, or
   * DEPLOY_TIMEOUT.
   */
  async try(bundle: BundleFile): Promise<readonly ServiceDescription[]> {
    clearTimeout(this.#timer);
    const child = this.#spare ?? startProcess();
    this.#spare = undefined;
    try {
      return await tryIn(child, bundle);
    } finally {
      child.kill("SIGKILL");
      this.#prepareLater();
    }
  }

  /** Ends the process in stock. Idempotent. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#drop();
    return Promise.resolve();
  }

  #prepareLater(): void {
    if (this.#isClosed) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      const child = startProcess();
      this.#spare = child;
      child.once("exit", () => {
        if (this.#spare === child) this.#spare = undefined;
      });
      this.#timer = setTimeout(() => this.#drop(), spareMs);
    }, prepareMs);
  }

  #drop(): void {
    this.#spare?.kill("SIGKILL");
    this.#spare = undefined;
  }
}

function startProcess(): ChildProcess {
  return fork(fileURLToPath(import.meta.resolve("./scratch.ts")), {
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
}

function tryIn(
  child: ChildProcess,
  { file, path }: BundleFile,
): Promise<readonly ServiceDescription[]> {
  // Whatever the module prints is not ours; unread pipes would block it.
  child.stdout?.resume();
  let words = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    words = (words + text).slice(-2_000);
  });
  return new Promise((resolve, reject) => {
    const settle = (error: PlatformError) => {
      clearTimeout(timer);
      reject(error);
    };
    const timer = setTimeout(
      () => settle(new PlatformError("DEPLOY_TIMEOUT", { file, seconds: loadLimitMs / 1_000 })),
      loadLimitMs,
    );
    child.once("message", (result: ScratchResult) => {
      clearTimeout(timer);
      if (result.ok) resolve(result.services);
      else reject(new PlatformError("DEPLOY_LOAD", { file, reason: result.reason }));
    });
    child.once("error", (error) => {
      settle(new PlatformError("DEPLOY_LOAD", { file, reason: error.message }, { cause: error }));
    });
    child.once("exit", (code, signal) => {
      const reason = `It ended the process (${signal ?? `exit code ${code}`}) ${words.trim()}`;
      settle(new PlatformError("DEPLOY_LOAD", { file, reason: reason.trim() }));
    });
    child.send(path);
  });
}

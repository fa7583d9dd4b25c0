import { renderAddress } from "../address.ts";
import type { Backend, CheckResult } from "./backend.ts";

/** What a server answers with 200 while it wants traffic. */
const readinessPath = "/dragoman/readyz";

/** A check may take this long, or one interval where that is longer. */
const checkTimeoutMsMin = 1_000;

/** Checks one server for ever, one check at a time, until it is stopped. */
export class HealthChecks {
  readonly #backend: Backend;
  readonly #intervalMs: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running = false;
  #stopped = false;

  constructor(backend: Backend, intervalMs: number) {
    this.#backend = backend;
    this.#intervalMs = intervalMs;
  }

  /** Checks now, and then every interval. Also for "look again now" while it is running. */
  checkNow(): void {
    if (this.#running || this.#stopped) return;
    clearTimeout(this.#timer);
    this.#running = true;
    const timeoutMs = Math.max(checkTimeoutMsMin, this.#intervalMs);
    void checkHealth(this.#backend, timeoutMs).then((result) => {
      this.#running = false;
      if (this.#stopped) return;
      this.#backend.note(result);
      this.#timer = setTimeout(() => this.checkNow(), this.#intervalMs);
    });
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }
}

/** Asks a server whether it is ready. Never rejects: what goes wrong is the answer. */
export function checkHealth(
  { host, port, hop }: Pick<Backend, "host" | "port" | "hop">,
  timeoutMs: number,
): Promise<CheckResult> {
  return new Promise((resolve) => {
    const headers = { Host: renderAddress(host, port), Connection: "close" };
    const agent = hop.openAgent();
    const check = hop.request({ host, port, path: readinessPath, agent, headers });
    const timer = setTimeout(() => {
      finish({ healthy: false, reason: `Health check: no answer within ${timeoutMs} ms` });
    }, timeoutMs);
    const finish = (result: CheckResult) => {
      clearTimeout(timer);
      resolve(result);
      check.destroy();
    };
    check.on("response", ({ statusCode }) => {
      finish({ healthy: statusCode === 200, reason: `Layer7 check: ${statusCode}` });
    });
    check.on("error", (error) => {
      finish({ healthy: false, reason: `Health check: ${describeFailure(error)}` });
    });
    check.end();
  });
}

/** A network failure in words, without addresses and library jargon. */
export function describeFailure(error: Error): string {
  const code = "code" in error ? String(error.code) : "";
  const words: Readonly<Record<string, string>> = {
    ECONNREFUSED: "connection refused",
    ECONNRESET: "connection broken",
    EPIPE: "connection broken",
    ETIMEDOUT: "connection timed out",
    EHOSTUNREACH: "host unreachable",
    ENOTFOUND: "host name not found",
  };
  return words[code] ?? (code.startsWith("HPE_") ? "not valid HTTP" : error.message);
}

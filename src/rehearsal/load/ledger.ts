import { randomUUID } from "node:crypto";
import { delay } from "../../lib/wait.ts";
import { RawConnection, type RawResponse } from "./raw-connection.ts";

export interface LoadOptions {
  /** `http://host:port/path?query`; `id=` is added to the query. */
  readonly url: string;
  /** How many requests to send in all. */
  readonly requests: number;
  /** Requests in flight at any time, each sent when one before it has ended. Default 8. */
  readonly concurrency?: number;
  /** Instead of `concurrency`: requests are sent at this rate, however long the answers take. */
  readonly ratePerSecond?: number;
  /** Default GET. */
  readonly method?: string;
  /** Sent with every request, as JSON. */
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Each request carries its id as `Idempotency-Key`; its method is shown as `POST with key`. */
  readonly withKeys?: boolean;
  /** An answer must be whole within this. Default 10,000. */
  readonly timeoutMs?: number;
  /** Called with every whole answer. What it throws makes the request a failed one. */
  readonly onResponse?: (response: RawResponse, id: string) => void;
  /** Called with every request once it has ended, however it did, and with its whole answer. */
  readonly onEnd?: (entry: LoadEntry, response: RawResponse | undefined) => void;
  /** Stops sending; what is in flight is still waited for. */
  readonly signal?: AbortSignal;
}

export interface LoadReport {
  readonly sent: number;
  /** Whole answers with a 2xx status. */
  readonly ok: number;
  readonly failed: readonly LoadFailure[];
  /** Value of X-Dragoman-Server -> good answers; `unknown` where there was none. */
  readonly byServer: ReadonlyMap<string, number>;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of the good answers, in the order in which they ended. */
  readonly durations: readonly number[];
}

/** What became of one request. Times are those of `performance.now()`. */
export interface LoadEntry {
  readonly id: string;
  /** `POST with key` for one that carries an idempotency key. */
  readonly method: string;
  readonly sentAtMs: number;
  readonly endedAtMs: number;
  /** `refused`: a whole answer that says no; `unknown`: no whole answer, so nobody knows. */
  readonly outcome: "ok" | "refused" | "unknown";
  /** Unless `ok`: as in LoadFailure. */
  readonly reason?: string;
  /** The code in the problem details of a refusal. */
  readonly problem?: string;
  /** Value of X-Dragoman-Server. */
  readonly server?: string;
}

export interface LoadFailure {
  readonly id: string;
  /** `reset`, `closed without an answer`, `truncated answer`, `timed out ...`, `status 503` ... */
  readonly reason: string;
}

/**
 * Sends requests and keeps account of every one. It never retries, and stamps each request with an
 * id (header X-Request-Id and query `id`), so that what the servers did can be held against it.
 * A connection that the other side closed between two requests is replaced; one that breaks after
 * a request was sent on it is a failure.
 */
export async function runLoad(options: LoadOptions): Promise<LoadReport> {
  const { requests, concurrency = 8, ratePerSecond, signal } = options;
  const run = new LoadRun(options);
  const next = (): boolean => run.sent < requests && signal?.aborted !== true;
  if (ratePerSecond === undefined) {
    const lane = async () => {
      while (next()) await run.sendOne();
    };
    await Promise.all(Array.from({ length: concurrency }, lane));
  } else {
    const started = performance.now();
    const pending: Promise<void>[] = [];
    while (next()) {
      const due = (performance.now() - started) * ratePerSecond / 1_000 + 1;
      while (run.sent < due && next()) pending.push(run.sendOne());
      await delay(1);
    }
    await Promise.all(pending);
  }
  return run.finish();
}

class LoadRun {
  sent = 0;
  readonly #options: LoadOptions;
  readonly #url: URL;
  readonly #idle: RawConnection[] = [];
  readonly #failed: LoadFailure[] = [];
  readonly #byServer = new Map<string, number>();
  readonly #durations: number[] = [];

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#url = new URL(options.url);
  }

  async sendOne(): Promise<void> {
    this.sent += 1;
    const { method = "GET", withKeys, timeoutMs = 10_000, onResponse, onEnd } = this.#options;
    const id = randomUUID();
    const sentAtMs = performance.now();
    let response: RawResponse | undefined;
    let reason: string | undefined;
    try {
      response = await this.#exchange(this.#render(method, id), { method, timeoutMs });
      if (response.status < 200 || response.status > 299) {
        throw new Error(`status ${response.status}`);
      }
      onResponse?.(response, id);
    } catch (error) {
      reason = error instanceof Error ? error.message : String(error);
    }
    const endedAtMs = performance.now();
    const server = response?.headers["x-dragoman-server"];
    if (reason === undefined) this.#count(endedAtMs - sentAtMs, server);
    else this.#failed.push({ id, reason });
    const problem = response === undefined ? undefined : problemCode(response);
    onEnd?.({
      id,
      method: withKeys === true ? `${method} with key` : method,
      sentAtMs,
      endedAtMs,
      outcome: reason === undefined ? "ok" : response === undefined ? "unknown" : "refused",
      ...(reason === undefined ? {} : { reason }),
      ...(problem === undefined ? {} : { problem }),
      ...(server === undefined ? {} : { server }),
    }, response);
  }

  finish(): LoadReport {
    for (const connection of this.#idle) connection.close();
    const sorted = this.#durations.toSorted((a, b) => a - b);
    return {
      sent: this.sent,
      ok: sorted.length,
      failed: this.#failed,
      byServer: this.#byServer,
      p50Ms: percentile(sorted, 0.5),
      p99Ms: percentile(sorted, 0.99),
      durations: this.#durations,
    };
  }

  async #exchange(
    request: string,
    options: { readonly method: string; readonly timeoutMs: number },
  ): Promise<RawResponse> {
    const connection = this.#takeConnection();
    const response = await connection.exchange(request, options);
    if (connection.isUsable) this.#idle.push(connection);
    return response;
  }

  #count(durationMs: number, server = "unknown"): void {
    this.#durations.push(durationMs);
    this.#byServer.set(server, (this.#byServer.get(server) ?? 0) + 1);
  }

  #takeConnection(): RawConnection {
    for (;;) {
      const connection = this.#idle.pop();
      if (connection === undefined) break;
      if (connection.isUsable) return connection;
    }
    return new RawConnection(this.#url.hostname, Number(this.#url.port || 80));
  }

  #render(method: string, id: string): string {
    const { body, withKeys, headers = {} } = this.#options;
    const target = new URL(this.#url);
    target.searchParams.set("id", id);
    const fields: Record<string, string> = { Host: target.host, "X-Request-Id": id, ...headers };
    if (withKeys === true) fields["Idempotency-Key"] = `"${id}"`;
    if (body !== undefined) {
      fields["Content-Type"] ??= "application/json";
      fields["Content-Length"] = String(new TextEncoder().encode(body).length);
    }
    const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
    return `${method} ${target.pathname}${target.search} HTTP/1.1\r\n${lines.join("")}\r\n${
      body ?? ""
    }`;
  }
}

function problemCode({ headers, body }: RawResponse): string | undefined {
  if (!headers["content-type"]?.startsWith("application/problem+json")) return undefined;
  const { code } = JSON.parse(body) as { code?: string }; // as RFC 9457 and our servers have it
  return code;
}

/** Of numbers in rising order; 0 of none. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

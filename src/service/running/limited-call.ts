import { PlatformError } from "../../errors/platform-error.ts";
import type { Call, ServiceRequest, ServiceResponse, ServiceRuntime } from "../call.ts";
import { type Limited, type LimitList, startLimit } from "./time-limits.ts";

/**
 * A call within another one, with an earlier deadline or a way to end it alone. Everything else is
 * the outer call's. It makes its signal when it is first asked for: most calls end in time, and
 * never look at it.
 */
export class LimitedCall implements Call, Limited, Disposable {
  readonly #outer: Call;
  readonly #limitMs: number | undefined;
  readonly endsAt: number;
  #limits: LimitList | undefined;
  #controller: AbortController | undefined;
  #ended: { readonly reason: unknown } | undefined;
  #onAbort: ((reason: unknown) => void)[] = [];

  constructor(outer: Call, limitMs?: number) {
    this.#outer = outer;
    this.#limitMs = limitMs;
    const { clock } = outer.runtime.facilities;
    this.endsAt = limitMs === undefined ? Infinity : clock.monotonic() + limitMs;
  }

  get depth(): number {
    return this.#outer.depth ?? 0;
  }

  get request(): ServiceRequest {
    return this.#outer.request;
  }

  get response(): ServiceResponse {
    return this.#outer.response;
  }

  get runtime(): ServiceRuntime {
    return this.#outer.runtime;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      const outer = this.#outer.signal;
      if (outer.aborted) this.abort(outer.reason);
      else outer.addEventListener("abort", this.#pass);
      if (this.#ended !== undefined) this.#controller.abort(this.#ended.reason);
    }
    return this.#controller.signal;
  }

  remaining(): number {
    if (this.#ended !== undefined) return 0;
    const outer = this.#outer.remaining();
    if (this.#limitMs === undefined) return outer;
    const own = this.endsAt - this.runtime.facilities.clock.monotonic();
    return Math.max(0, Math.min(outer, own));
  }

  /** Ends it for `reason`; only the first one counts. */
  abort(reason: unknown): void {
    if (this.#ended !== undefined) return;
    this.#ended = { reason };
    this.#controller?.abort(reason);
    for (const tell of this.#onAbort.splice(0)) tell(reason);
  }

  /** Called when its time is over. */
  expire(): void {
    this.abort(new PlatformError("REQUEST_TIMEOUT", { timeoutMs: this.#limitMs ?? 0 }));
  }

  /** What `work` comes to; rejects with the reason as soon as the call is aborted or over. */
  race<T>(work: PromiseLike<T>): Promise<T> {
    if (this.#limitMs !== undefined) {
      const { clock } = this.runtime.facilities;
      this.#limits ??= startLimit(clock, this.#limitMs, this);
    }
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) reject(this.#ended.reason);
      else this.#onAbort.push(reject);
      work.then(resolve, reject);
    });
  }

  /** It has ended. */
  [Symbol.dispose](): void {
    this.#limits?.remove(this);
    if (this.#controller !== undefined) {
      this.#outer.signal.removeEventListener("abort", this.#pass);
    }
  }

  readonly #pass = (): void => this.abort(this.#outer.signal.reason);
}

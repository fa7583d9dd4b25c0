import type { Guard } from "../../security/guard.ts";
import type { ChannelInfo, RunnableService, ServiceRuntime } from "../../service/call.ts";
import type { TextInput } from "../../service/text-input.ts";
import type { Router } from "./router.ts";

/** A REST channel, ready to serve. */
export interface Route {
  readonly channel: ChannelInfo;
  /** Names of the path's `{name}` parts, in order. */
  readonly paramNames: readonly string[];
  readonly runnable: RunnableService;
  readonly textInput: TextInput;
  /** Undefined: `security: none`. */
  readonly guard: Guard | undefined;
  readonly timeoutMs: number;
  readonly bodyBytesMax: number;
  readonly stats: RouteStats;
}

/** Figures of one channel since the process started. */
export class RouteStats {
  requestsTotal = 0;
  /** Answers with a status of 500 and above. */
  errorsTotal = 0;
  durationMsTotal = 0;

  record(status: number, durationMs: number): void {
    this.requestsTotal++;
    if (status >= 500) this.errorsTotal++;
    this.durationMsTotal += durationMs;
  }
}

/** Everything that HTTP needs of one configuration. Immutable: the next one replaces it whole. */
export interface Generation {
  readonly router: Router<Route>;
  readonly runtime: ServiceRuntime;
}

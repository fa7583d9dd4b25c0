import { createLogger } from "../../telemetry/logger.ts";
import type { Call, ServiceRuntime } from "../call.ts";
import type { Clock } from "../clock.ts";
import type { Service } from "../define-service.ts";
import type { Facilities } from "../facilities.ts";
import { invokeService } from "../run-service.ts";
import type { ServiceSettingsSpec } from "../kinds/service-settings.ts";
import { createRunnable } from "./runnable.ts";

/** A clock that stands still until it is told to go on. */
export class ManualClock implements Clock {
  #now = Date.parse("2026-01-31T12:00:00Z");
  readonly #sleepers = new Set<{ readonly at: number; readonly wake: () => void }>();

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#now;
  }

  /** How many wait for the time. */
  get sleeping(): number {
    return this.#sleepers.size;
  }

  delay(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const sleeper = { at: this.#now + ms, wake: resolve };
      this.#sleepers.add(sleeper);
      signal?.addEventListener("abort", () => {
        this.#sleepers.delete(sleeper);
        reject(signal.reason);
      });
    });
  }

  advance(ms: number): void {
    this.#now += ms;
    for (const sleeper of this.#sleepers) {
      if (sleeper.at > this.#now) continue;
      this.#sleepers.delete(sleeper);
      sleeper.wake();
    }
  }
}

export interface FakeCallOptions {
  readonly services?: readonly Service[];
  readonly settings?: readonly ServiceSettingsSpec[];
  readonly facilities?: Partial<Facilities>;
  /** The call's time. Default 10,000. */
  readonly limitMs?: number;
  /** Default: none, as for calls that are not HTTP requests. */
  readonly method?: string;
}

/** A call without a channel, for tests: its clock, what was logged, and how to end it. */
export interface FakeCall {
  readonly call: Call;
  readonly clock: ManualClock;
  /** Lines of the log, parsed. */
  readonly lines: Record<string, unknown>[];
  /** Slots of the calls that were dropped. */
  readonly dropped: number[];
  /** Services that are running now. */
  readonly running: Map<number, number>;
  abort(reason?: unknown): void;
}

export function createFakeCall(
  { services = [], settings = [], facilities = {}, limitMs = 10_000, method = "" }:
    FakeCallOptions = {},
): FakeCall {
  const clock = new ManualClock();
  const lines: Record<string, unknown>[] = [];
  const dropped: number[] = [];
  const running = new Map<number, number>();
  const count = (slot: number, by: number) => running.set(slot, (running.get(slot) ?? 0) + by);
  const runnables = services.map((service, index) => {
    const own = settings.find((one) => one.service === service.name);
    return [service.name, createRunnable(service, { slot: index + 1, settings: own })] as const;
  });
  const runtime: ServiceRuntime = {
    server: "server-1",
    cluster: "test",
    logger: createLogger({ write: (line) => lines.push(JSON.parse(line)) }),
    services: new Map(runnables),
    marks: {
      enter: (slot) => count(slot, 1),
      leave: (slot) => count(slot, -1),
      drop: (slot) => dropped.push(slot),
    },
    // A test lends what its services use.
    facilities: { clock, ...facilities } as Facilities,
    invoke: invokeService,
  };
  const controller = new AbortController();
  const endsAt = clock.now() + limitMs;
  const call: Call = {
    request: {
      cid: "cid-1",
      channel: { kind: "Test", name: "test" },
      principal: undefined,
      method,
      path: "",
      params: {},
      query: new URLSearchParams(),
      headers: new Headers(),
      rawBody: new Uint8Array(),
      remoteAddress: "",
      traceparent: undefined,
    },
    response: { status: 0, headers: new Headers() },
    signal: controller.signal,
    runtime,
    remaining: () => Math.max(0, endsAt - clock.now()),
  };
  return { call, clock, lines, dropped, running, abort: (reason) => controller.abort(reason) };
}

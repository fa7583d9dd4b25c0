import { isPlatformError, PlatformError, reasonOf } from "../../errors/platform-error.ts";
import type { Call } from "../call.ts";
import { isService, type Service } from "../define-service.ts";
import type { InputOf, OutputOf, ServiceName } from "../register.ts";
import { LimitedCall } from "../running/limited-call.ts";
import { isServiceError } from "../service-error.ts";

/** A service by value or by name. */
type Target = Service | ServiceName;
type TargetInput<T> = T extends Service<infer Input, infer _> ? Input : InputOf<T>;
type TargetOutput<T> = T extends Service<infer _, infer Output> ? Output : OutputOf<T>;

/** How one of several calls ended. */
export type ParallelOutcome<Output = unknown> =
  | { readonly ok: true; readonly value: Output; readonly durationMs: number }
  | { readonly ok: false; readonly error: unknown; readonly durationMs: number };

export interface ParallelOptions<Outcomes> {
  /**
   * Called when each has ended: a function, or a service that gets
   * `{ target, service, ok, value?, error?: { message, code? }, durationMs }`.
   */
  readonly onEach?: ((target: string, outcome: ParallelOutcome) => unknown) | Target;
  /** Called when all have ended: a function, or a service that gets `{ outcomes }` likewise. */
  readonly onDone?: ((outcomes: Outcomes) => unknown) | Target;
  /** How many run at the same time. Default 16. */
  readonly concurrency?: number;
  /**
   * True: after the first failure none is begun any more, and the signal of those that run is
   * aborted; they end with PARALLEL_STOPPED. Default false.
   */
  readonly stopOnError?: boolean;
}

/**
 * Calls several services side by side and resolves, never because one of them failed, to how each
 * of them ended. Rejects with what a callback throws, once all have ended.
 */
export type Parallel = <const Targets extends Readonly<Record<string, Target>>>(
  targets: {
    readonly [Key in keyof Targets]: readonly [
      Targets[Key],
      ...(undefined extends TargetInput<Targets[Key]> ? [input?: TargetInput<Targets[Key]>]
        : [input: TargetInput<Targets[Key]>]),
    ];
  },
  options?: ParallelOptions<Outcomes<Targets>>,
) => Promise<Outcomes<Targets>>;

type Outcomes<Targets> = {
  readonly [Key in keyof Targets]: ParallelOutcome<TargetOutput<Targets[Key]>>;
};

type AnyOutcomes = Record<string, ParallelOutcome>;
type AnyTargets = Readonly<Record<string, readonly [string | Service, unknown?]>>;

/** `ctx.parallel` of one call. */
export function createParallel(call: Call): Parallel {
  // The types are checked at the caller.
  return ((targets: AnyTargets, options: ParallelOptions<AnyOutcomes> = {}) =>
    runParallel(call, targets, options)) as Parallel;
}

async function runParallel(
  call: Call,
  targets: AnyTargets,
  { onEach, onDone, concurrency = 16, stopOnError = false }: ParallelOptions<AnyOutcomes>,
): Promise<AnyOutcomes> {
  using group = new LimitedCall(call);
  const { signal } = group; // asked for: the end of the outer call ends these
  const waiting = Object.entries(targets);
  // In the order in which they were asked for, not in which they ended.
  const outcomes: AnyOutcomes = Object.fromEntries(waiting.map(([key]) => [key, notRun]));
  const failures: unknown[] = [];
  const lane = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [key, [target, input]] = next;
      const outcome = signal.aborted
        ? { ...notRun, error: signal.reason }
        : await runOne(group, target, input);
      outcomes[key] = outcome;
      if (!outcome.ok && stopOnError) group.abort(stopped());
      try {
        await callBack(call, onEach, [key, outcome], () => describe(key, nameOf(target), outcome));
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, waiting.length) }, lane));
  if (failures.length > 0) throw failures[0];
  await callBack(call, onDone, [outcomes], () => ({
    outcomes: Object.entries(outcomes).map(([key, outcome]) =>
      describe(key, nameOf(targets[key]![0]), outcome)
    ),
  }));
  return outcomes;
}

const notRun = { ok: false, error: undefined, durationMs: 0 } as const;

async function runOne(
  call: LimitedCall,
  target: string | Service,
  input: unknown,
): Promise<ParallelOutcome> {
  const { clock } = call.runtime.facilities;
  const startedAt = clock.monotonic();
  const durationMs = () => Math.round((clock.monotonic() - startedAt) * 1_000) / 1_000;
  try {
    const value = await call.race(call.runtime.invoke(target, input, call));
    return { ok: true, value, durationMs: durationMs() };
  } catch (error) {
    return { ok: false, error, durationMs: durationMs() };
  }
}

async function callBack<Args extends readonly unknown[]>(
  call: Call,
  callback: ((...args: Args) => unknown) | string | Service | undefined,
  args: Args,
  describeIt: () => unknown,
): Promise<void> {
  if (typeof callback === "function") await callback(...args);
  else if (typeof callback === "string" || isService(callback)) {
    await call.runtime.invoke(callback, describeIt(), call);
  }
}

function describe(target: string, service: string, outcome: ParallelOutcome): unknown {
  if (outcome.ok) return { target, service, ...outcome };
  const { error, durationMs } = outcome;
  const code = isPlatformError(error) ? { code: error.code } : {};
  const status = isServiceError(error) ? { status: error.status } : {};
  const told = { message: reasonOf(error), ...code, ...status };
  return { target, service, ok: false, error: told, durationMs };
}

function nameOf(target: string | Service): string {
  return typeof target === "string" ? target : target.name;
}

function stopped(): PlatformError {
  return new PlatformError("PARALLEL_STOPPED");
}

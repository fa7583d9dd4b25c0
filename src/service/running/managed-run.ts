import { PlatformError } from "../../errors/platform-error.ts";
import type { Call, RunnableService } from "../call.ts";
import { ServiceContext } from "../context/service-context.ts";
import type { Service } from "../define-service.ts";
import type { CallOutcome } from "./hooks.ts";
import { checkOutput } from "./check-values.ts";

/**
 * Runs a service that has hooks, limits or settings:
 * its turn -> before -> handler -> check of the output -> [onError] -> after -> bookkeeping.
 * From `before` on, everything after it happens however the call ends.
 */
export async function runManaged(
  runnable: RunnableService,
  handle: Service["handle"],
  input: unknown,
  call: Call,
): Promise<unknown> {
  const { service, slot, gate } = runnable;
  if (runnable.isActive === false) {
    throw new PlatformError("SERVICE_INACTIVE", {}, { details: { service: service.name } });
  }
  const { marks } = call.runtime;
  const entering = gate?.enter(call, service.name, () => marks.drop?.(slot));
  if (entering !== undefined) await entering;
  const startedAt = performance.now();
  service.running?.enter();
  marks.enter(slot);
  call.onRun?.();
  try {
    const outcome = await runHooked(runnable, handle, new ServiceContext(input, call, runnable));
    if (outcome.ok) return outcome.output;
    throw outcome.error;
  } finally {
    marks.leave(slot);
    service.running?.leave();
    gate?.leave();
    if (service.slowMs !== undefined) reportSlow(service, call, performance.now() - startedAt);
  }
}

async function runHooked(
  { service }: RunnableService,
  handle: Service["handle"],
  ctx: ServiceContext,
): Promise<CallOutcome> {
  const { hooks } = service;
  const startedAt = performance.now();
  let outcome: CallOutcome;
  try {
    if (hooks?.before !== undefined) await hooks.before(ctx);
    const output = await checkOutput(service, await handle(ctx));
    outcome = { ok: true, output, durationMs: performance.now() - startedAt };
  } catch (error) {
    outcome = { ...await recover(service, error, ctx), durationMs: performance.now() - startedAt };
  }
  if (hooks?.after === undefined) return outcome;
  try {
    await hooks.after(ctx, outcome);
  } catch (error) {
    ctx.log.error("The hook after failed", { error });
  }
  return outcome;
}

type Recovered =
  | { readonly ok: true; readonly output: unknown }
  | { readonly ok: false; readonly error: unknown };

async function recover(
  service: Service,
  error: unknown,
  ctx: ServiceContext,
): Promise<Recovered> {
  const { hooks } = service;
  if (hooks?.onError === undefined) return { ok: false, error };
  try {
    const output = await hooks.onError(error, ctx);
    if (output === undefined) return { ok: false, error };
    return { ok: true, output: await checkOutput(service, output) };
  } catch (other) {
    return { ok: false, error: other };
  }
}

function reportSlow({ name, slowMs }: Service, call: Call, tookMs: number): void {
  if (tookMs <= slowMs!) return; // asked for services that have it
  const { runtime, request } = call;
  const durationMs = Math.round(tookMs);
  runtime.logger.warn("Service was slow", {
    service: name,
    cid: request.cid,
    durationMs,
    slowMs,
  });
}

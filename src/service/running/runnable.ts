import type { RunnableService } from "../call.ts";
import type { Service } from "../define-service.ts";
import type { ServiceSettingsSpec } from "../kinds/service-settings.ts";
import { ServiceGate } from "./service-gate.ts";

export interface RunnableOptions {
  /** The service's number in the process; default 0, which stands for services without one. */
  readonly slot?: number;
  /** What operators set for it. */
  readonly settings?: ServiceSettingsSpec | undefined;
  /** What bounds it already: the limit holds over changes of its code. */
  readonly gate?: ServiceGate | undefined;
}

const queueMaxDefault = 100;

/** Makes a service callable, with what its settings say in place of its own limits. */
export function createRunnable(
  service: Service,
  { slot = 0, settings, gate }: RunnableOptions = {},
): RunnableService {
  if (settings === undefined) return { service, slot, ...bounded(service, gate) };
  const { active, logLevel } = settings;
  const limited: Service = Object.freeze({
    ...service,
    timeoutMs: settings.timeoutMs ?? service.timeoutMs,
    slowMs: settings.slowMs ?? service.slowMs,
    maxConcurrent: settings.maxConcurrent ?? service.maxConcurrent,
    queueMax: settings.queueMax ?? service.queueMax,
  });
  return { service: limited, slot, isActive: active, logLevel, ...bounded(limited, gate) };
}

function bounded(
  { maxConcurrent, queueMax = queueMaxDefault }: Service,
  gate: ServiceGate | undefined,
): Pick<RunnableService, "gate"> {
  if (maxConcurrent === undefined) {
    gate?.update({ maxConcurrent: Infinity, queueMax }); // lets those in who still wait
    return {};
  }
  if (gate === undefined) return { gate: new ServiceGate({ maxConcurrent, queueMax }) };
  gate.update({ maxConcurrent, queueMax });
  return { gate };
}

import { z } from "zod";
import type { StoredObject } from "../../catalog/kind.ts";
import { reasonOf } from "../../errors/platform-error.ts";
import type { RunnableService } from "../../service/call.ts";
import type { Service } from "../../service/define-service.ts";
import { createRunnable } from "../../service/running/runnable.ts";
import type { ServiceGate } from "../../service/running/service-gate.ts";
import { serviceSettings, type ServiceSettingsSpec } from "../../service/kinds/service-settings.ts";
import type { Failure } from "./bundle-set.ts";
import type { ServiceSlots } from "./service-slots.ts";

/**
 * Makes the services of each configuration callable. Limits of a service go on counting when its
 * code or its settings change.
 */
export class ServiceSet {
  readonly #slots: ServiceSlots;
  readonly #gates = new Map<string, ServiceGate>();

  constructor(slots: ServiceSlots) {
    this.#slots = slots;
  }

  update(services: ReadonlyMap<string, Service>, objects: Iterable<StoredObject>): {
    readonly services: ReadonlyMap<string, RunnableService>;
    /** ServiceSettings that cannot be used. */
    readonly failures: readonly Failure[];
  } {
    const { settings, failures } = readSettings(objects);
    const runnables = new Map<string, RunnableService>();
    for (const [name, service] of services) {
      const slot = this.#slots.slotOf(name);
      const options = { slot, settings: settings.get(name), gate: this.#gates.get(name) };
      const runnable = createRunnable(service, options);
      if (runnable.gate !== undefined) this.#gates.set(name, runnable.gate);
      runnables.set(name, runnable);
    }
    for (const name of this.#gates.keys()) if (!services.has(name)) this.#gates.delete(name);
    return { services: runnables, failures };
  }
}

function readSettings(objects: Iterable<StoredObject>): {
  readonly settings: ReadonlyMap<string, ServiceSettingsSpec>;
  readonly failures: readonly Failure[];
} {
  const settings = new Map<string, ServiceSettingsSpec>();
  const failures: Failure[] = [];
  for (const { kind, name, spec } of objects) {
    if (kind !== serviceSettings.kind) continue;
    try {
      const parsed = serviceSettings.schema.parse(spec);
      settings.set(parsed.service, parsed);
    } catch (error) {
      const reason = error instanceof z.ZodError ? z.prettifyError(error) : reasonOf(error);
      failures.push({ kind, name, error: reason });
    }
  }
  return { settings, failures };
}

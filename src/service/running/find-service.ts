import { PlatformError } from "../../errors/platform-error.ts";
import { didYouMean } from "../../lib/nearest-name.ts";
import type { Call, RunnableService } from "../call.ts";
import type { Service } from "../define-service.ts";
import { createRunnable } from "./runnable.ts";

/** Services that are deployed nowhere, such as those private to a file: made callable once. */
const privates = new WeakMap<Service, RunnableService>();

/**
 * What a name, or a service by its name, means: what is deployed; a service that is deployed
 * nowhere is taken as it is. Throws SERVICE_UNKNOWN.
 */
export function findService(target: string | Service, call: Call): RunnableService {
  const { services } = call.runtime;
  const name = typeof target === "string" ? target : target.name;
  const found = services.get(name);
  if (found !== undefined) return found;
  if (typeof target === "string") throw unknownService(name, services.keys());
  const known = privates.get(target);
  if (known !== undefined) return known;
  const made = createRunnable(target);
  privates.set(target, made);
  return made;
}

/** The error for a name that no service has, with the nearest one that exists. */
export function unknownService(name: string, known: Iterable<string>): PlatformError {
  const hint = didYouMean(name, known);
  return new PlatformError("SERVICE_UNKNOWN", { name, hint });
}

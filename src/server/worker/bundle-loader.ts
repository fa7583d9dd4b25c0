import { pathToFileURL } from "node:url";
import { z } from "zod";
import { PlatformError } from "../../errors/platform-error.ts";
import type { ServiceDescription } from "../../odb/types.ts";
import { isService, type Service } from "../../service/define-service.ts";
import * as platformModule from "../../service/index.ts";
import type { Schema } from "../../service/schema.ts";

/** Where bundles find this process's copy of the module "dragoman". */
const platformModuleKey = Symbol.for("dragoman.module");

/**
 * Imports a bundle and returns the services that it exports, each once. Throws
 * SERVICE_NONE_IN_FILE, SERVICE_TWICE_IN_FILE and whatever the module's own code throws.
 */
export async function loadBundle(path: string): Promise<readonly Service[]> {
  Object.assign(globalThis, { [platformModuleKey]: platformModule });
  // The URL, not the path: a path with "%", "?" or "#" in it would name another file.
  const module: Record<string, unknown> = await import(pathToFileURL(path).href);
  const byName = new Map<string, { readonly service: Service; readonly exported: string }>();
  for (const [exported, service] of Object.entries(module)) {
    if (!isService(service)) continue;
    const other = byName.get(service.name);
    if (other !== undefined && other.service !== service) {
      throw new PlatformError("SERVICE_TWICE_IN_FILE", {
        name: service.name,
        first: other.exported,
        second: exported,
      });
    }
    byName.set(service.name, { service, exported });
  }
  if (byName.size === 0) throw new PlatformError("SERVICE_NONE_IN_FILE");
  return [...byName.values()].map(({ service }) => service);
}

/** What consoles and documents show of a service; JSON Schemas where its schemas can be expressed so. */
export function describeService(service: Service): ServiceDescription {
  const input = jsonSchema(service.input, "input");
  const output = jsonSchema(service.output, "output");
  return {
    name: service.name,
    description: service.description,
    ...(input === undefined ? {} : { input }),
    ...(output === undefined ? {} : { output }),
  };
}

function jsonSchema(schema: Schema | undefined, io: "input" | "output"): unknown {
  if (!(schema instanceof z.ZodType)) return undefined;
  try {
    // Through JSON, so that what leaves the process is plain data.
    return JSON.parse(JSON.stringify(z.toJSONSchema(schema, { io, unrepresentable: "any" })));
  } catch {
    return undefined; // a schema that JSON Schema cannot say is no fault of the service
  }
}

import { PlatformError } from "../../errors/platform-error.ts";
import type { UserConfigs, UserConfigValues } from "../user-configs.ts";
import { unknownName } from "./unknown-name.ts";

/** One user configuration, frozen to its depth; `values` itself is left as it is. */
export function freezeConfig(
  values: Readonly<Record<string, unknown>>,
  secret: string | undefined,
): UserConfigValues {
  return Object.freeze({ values: deepFreeze(structuredClone(values)), secret });
}

/** User configurations by name. */
export function createUserConfigs(
  configs: ReadonlyMap<string, UserConfigValues>,
): UserConfigs {
  return {
    get(name) {
      const found = configs.get(name);
      if (found !== undefined) return found;
      throw new PlatformError("CONFIG_OBJECT_UNKNOWN", unknownName(name, configs.keys()));
    },
  };
}

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) {
    for (const inner of Object.values(value)) deepFreeze(inner);
    Object.freeze(value);
  }
  return value;
}

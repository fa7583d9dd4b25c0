import { parse } from "yaml";
import { PlatformError, reasonOf } from "../errors/platform-error.ts";
import type { YamlSource } from "./yaml-source.ts";

const prefix = "DRAGOMAN__";

/**
 * Lays environment variables over a configuration: `DRAGOMAN__HTTP__PORT=80` sets `http.port`.
 * Sections and keys are matched without regard to case against camelCase written as
 * `STALL_MS` -> `stallMs`. Values are read as YAML scalars.
 */
export function applyEnvironment(
  source: YamlSource,
  env: Readonly<Record<string, string | undefined>>,
): YamlSource {
  const names = Object.keys(env).filter((name) => name.startsWith(prefix)).sort();
  const value = structuredClone(source.value);
  // What is no map has no fields to set: the schema refuses it.
  if (names.length === 0 || !isRecord(value)) return source;
  const origins = new Map<string, string>();
  for (const name of names) {
    const path = name.slice(prefix.length).split("__").map(toCamelCase);
    setIn(value, path, parseValue(name, env[name] ?? ""));
    origins.set(path.join("."), name);
  }
  const locate = (path: readonly PropertyKey[]) => {
    const origin = origins.get(path.map(String).join("."));
    return origin === undefined ? source.locate(path) : `environment variable ${origin}`;
  };
  return { file: source.file, value, locate };
}

function parseValue(name: string, text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    const [reason = ""] = reasonOf(error).split("\n");
    const where = `environment variable ${name}`;
    throw new PlatformError("CONFIG_INVALID", { where, reason }, { cause: error });
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

function toCamelCase(part: string): string {
  return part.toLowerCase().replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

function setIn(target: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let level = target;
  for (const key of path.slice(0, -1)) {
    const next = level[key];
    if (next === null || typeof next !== "object") level[key] = {};
    level = level[key] as Record<string, unknown>; // just made sure that it is an object
  }
  level[path.at(-1)!] = value;
}

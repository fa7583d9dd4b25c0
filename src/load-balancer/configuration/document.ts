import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { type LoadBalancerConfig, loadBalancerConfigSchema } from "../../config/schemas.ts";
import { describeIssues } from "../../config/yaml-source.ts";
import { PlatformError } from "../../errors/platform-error.ts";
import { isHost } from "../address.ts";
import { parseServerName } from "../agent/registration.ts";
import type { ConfigDocument, ServerSettings } from "../api.ts";
import { defaultWeight } from "../engine.ts";

/** Fields of config.yaml that can also change while the balancer runs. */
const sharedFields = [
  "algorithm",
  "accessLog",
  "retries",
  "maxConnections",
  "healthCheck",
  "timeouts",
  "limits",
  "lines",
] as const;

const serverSettingsSchema = z.strictObject({
  state: z.enum(["ready", "drain", "maintenance"]).optional(),
  weight: z.int().min(0).max(256).optional(),
  address: z.string().refine((text) => parseAddress(text) !== undefined, "not host:port")
    .optional(),
});

/** The values of the shared fields are checked when they are put into config.yaml's place. */
const documentSchema = z.strictObject({
  ...Object.fromEntries(sharedFields.map((field) => [field, z.unknown().optional()])),
  servers: z.record(z.string(), serverSettingsSchema).optional(),
});

/**
 * Checks what somebody wants to be the configuration and leaves out what config.yaml says anyway.
 * Throws BALANCER_BAD_CONFIGURATION, BALANCER_BAD_NAME.
 */
export function parseDocument(value: unknown, base: LoadBalancerConfig): ConfigDocument {
  const result = documentSchema.safeParse(value ?? {});
  if (!result.success) throw badConfiguration(result.error, documentSchema);
  const { servers = {}, ...fields } = result.data;
  const wanted = overlay(base, fields);
  const checked = loadBalancerConfigSchema.safeParse(wanted);
  if (!checked.success) throw badConfiguration(checked.error, loadBalancerConfigSchema);
  for (const name of Object.keys(servers)) parseServerName(name);
  return withoutEmpty({
    ...differences(checked.data, base),
    servers: withoutEmpty(mapValues(servers, ordinaryLeftOut)),
  });
}

/** config.yaml with what was changed since. */
export function effectiveConfig(
  base: LoadBalancerConfig,
  { servers: _servers, ...fields }: ConfigDocument,
): LoadBalancerConfig {
  return loadBalancerConfigSchema.parse(overlay(base, fields));
}

/** Every field that can be changed, with the value that holds. */
export function wholeDocument(base: LoadBalancerConfig, document: ConfigDocument): ConfigDocument {
  const config = effectiveConfig(base, document);
  const fields = sharedFields.map((field) => [field, fieldOf(config, field)] as const)
    .filter(([, value]) => value !== undefined);
  return { ...Object.fromEntries(fields), servers: document.servers ?? {} };
}

/** `host:port` or `[IPv6]:port`; undefined when it is neither. */
export function parseAddress(
  text: string,
): { readonly host: string; readonly port: number } | undefined {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  if (host === undefined || !isHost(host) || port < 1 || port > 65_535) return undefined;
  return { host, port };
}

/** The settings of one server changed; those that are the ordinary ones are not kept. */
export function withServer(
  document: ConfigDocument,
  name: string,
  change: ServerSettings,
): ConfigDocument {
  const settings = ordinaryLeftOut({ ...document.servers?.[name], ...change });
  return withoutEmpty({
    ...document,
    servers: withoutEmpty({ ...document.servers, [name]: settings }),
  });
}

/** A document with a server's settings gone. */
export function withoutServer(document: ConfigDocument, name: string): ConfigDocument {
  const { [name]: _gone, ...servers } = document.servers ?? {};
  return withoutEmpty({ ...document, servers: withoutEmpty(servers) });
}

function ordinaryLeftOut(settings: ServerSettings): ServerSettings | undefined {
  const { state = "ready", weight = defaultWeight, address } = settings;
  return withoutEmpty({
    ...(state === "ready" ? {} : { state }),
    ...(weight === defaultWeight ? {} : { weight }),
    ...(address === undefined ? {} : { address }),
  });
}

/** Objects are laid over one another field by field, so that one time limit can be named alone. */
function overlay(base: LoadBalancerConfig, fields: Readonly<Record<string, unknown>>): unknown {
  const result: Record<string, unknown> = { ...base };
  for (const [field, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    const before = result[field];
    result[field] = isRecord(before) && isRecord(value) ? { ...before, ...value } : value;
  }
  return result;
}

function differences(config: LoadBalancerConfig, base: LoadBalancerConfig): ConfigDocument {
  const found: Record<string, unknown> = {};
  for (const field of sharedFields) {
    const [wanted, before] = [fieldOf(config, field), fieldOf(base, field)];
    if (isDeepStrictEqual(wanted, before)) continue;
    found[field] = isRecord(wanted) && isRecord(before)
      ? Object.fromEntries(
        Object.entries(wanted).filter(([key, value]) => !isDeepStrictEqual(value, before[key])),
      )
      : wanted;
  }
  return found;
}

function fieldOf(config: LoadBalancerConfig, field: string): unknown {
  return Object.entries(config).find(([key]) => key === field)?.[1];
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

function mapValues<T, R>(
  record: Readonly<Record<string, T>>,
  map: (value: T) => R,
): Record<string, R> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}

/** Leaves out what is undefined or has no fields. */
function withoutEmpty<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const kept = Object.entries(value).filter(([, one]) =>
    one !== undefined && !(isRecord(one) && Object.keys(one).length === 0)
  );
  // Object.fromEntries forgets the keys' types.
  return Object.fromEntries(kept) as { [K in keyof T]: Exclude<T[K], undefined> };
}

function badConfiguration(error: z.ZodError, schema: z.ZodType): PlatformError {
  const reason = describeIssues(error, schema)
    .map(({ path, reason }) => [path.map(String).join("."), reason].filter(Boolean).join(": "))
    .join("; ");
  return new PlatformError("BALANCER_BAD_CONFIGURATION", { reason });
}

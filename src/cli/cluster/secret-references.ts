import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { z } from "zod";
import type { YamlSource } from "../../config/yaml-source.ts";
import { PlatformError, reasonOf } from "../../errors/platform-error.ts";
import { loadWsdl } from "../../soap/wsdl/load-wsdl.ts";

type Spec = Readonly<Record<string, unknown>>;

// The part of a kind's JSON Schema that says which of its fields are secrets.
const secretSchema = z.object({
  properties: z.record(z.string(), z.looseObject({ secret: z.string().optional() })),
});

export interface ResolveOptions {
  /** The kind's JSON Schema. */
  readonly schema: unknown;
  readonly source: YamlSource;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** What is wrong with a reference, or worth saying about a secret. */
export interface SecretProblem {
  readonly field: string;
  /** `file:line:column` */
  readonly where: string;
  readonly reason: string;
}

export interface ResolvedSecrets {
  /** Without the secrets that could not be read. */
  readonly spec: Spec;
  readonly unknown: readonly SecretProblem[];
  /** Secrets that stand in the file in clear. */
  readonly inClear: readonly SecretProblem[];
}

/**
 * Replaces `${env:NAME}` and `${file:PATH}` where they are the whole value of a secret field, and
 * `${file:PATH}` in every other field at the top level. Paths are relative to the file that names
 * them; one newline at a file's end is not part of it, and a WSDL comes with all that it imports.
 */
export async function resolveSecrets(
  spec: Spec,
  options: ResolveOptions,
): Promise<ResolvedSecrets> {
  const parsed = secretSchema.safeParse(options.schema);
  if (!parsed.success) return { spec, unknown: [], inClear: [] };
  const resolved: Record<string, unknown> = { ...spec };
  const unknown: SecretProblem[] = [];
  const inClear: SecretProblem[] = [];
  for (const [field, { secret }] of Object.entries(parsed.data.properties)) {
    const value = spec[field];
    const isFile = typeof value === "string" && value.startsWith("${file:");
    if (typeof value !== "string" || (secret === undefined && !isFile)) continue;
    const where = options.source.locate(["spec", field]);
    const found = await readReference(value, options);
    if ("value" in found) {
      resolved[field] = found.value;
      if (secret !== undefined && found.isLiteral && value !== "") {
        const reason =
          `Field "${field}" is a secret that the file itself holds; write \${env:NAME} instead`;
        inClear.push({ field, where, reason });
      }
    } else {
      delete resolved[field];
      unknown.push({ field, where, reason: found.reason });
    }
  }
  return { spec: resolved, unknown, inClear };
}

/** Throws CLI_SECRET_REFERENCE for the first secret that could not be read. */
export function requireSecrets({ unknown }: ResolvedSecrets): void {
  const [first] = unknown;
  if (first === undefined) return;
  const { where, reason } = first;
  throw new PlatformError("CLI_SECRET_REFERENCE", { where, reason });
}

type Found =
  | { readonly value: string; readonly isLiteral: boolean }
  | { readonly reason: string };

async function readReference(value: string, { source, env }: ResolveOptions): Promise<Found> {
  const [, scheme, name = ""] = /^\$\{(env|file):([^}]+)\}$/.exec(value) ?? [];
  if (scheme === undefined) return { value, isLiteral: true };
  if (scheme === "env") {
    const found = env[name];
    if (found !== undefined && found !== "") return { value: found, isLiteral: false };
    return { reason: `Environment variable "${name}" is not set` };
  }
  try {
    const file = resolve(dirname(source.file), name);
    // A WSDL comes with everything that it imports: nobody reads files once it is applied.
    if (/\.wsdl$/i.test(name)) return { value: await loadWsdl(file), isLiteral: false };
    const text = await readFile(file, "utf8");
    return { value: text.replace(/\r?\n$/, ""), isLiteral: false };
  } catch (error) {
    return { reason: `Cannot read "${name}": ${reasonOf(error)}` };
  }
}

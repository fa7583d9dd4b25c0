import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { z } from "zod";
import type { YamlSource } from "../../config/yaml-source.ts";
import { PlatformError, reasonOf } from "../../errors/platform-error.ts";

type Spec = Readonly<Record<string, unknown>>;

// The part of a kind's JSON Schema that says which of its fields are secrets.
const secretSchema = z.object({
  properties: z.record(z.string(), z.looseObject({ secret: z.string().optional() })),
});

/**
 * Replaces `${env:NAME}` and `${file:PATH}` where they are the whole value of a secret field. Paths
 * are relative to the file that names them; one newline at a secret file's end is not part of it.
 * Throws CLI_SECRET_REFERENCE for a variable that is not set and a file that cannot be read.
 */
export async function resolveSecrets(
  spec: Spec,
  { schema, source, env }: {
    readonly schema: unknown;
    readonly source: YamlSource;
    readonly env: Readonly<Record<string, string | undefined>>;
  },
): Promise<Spec> {
  const parsed = secretSchema.safeParse(schema);
  if (!parsed.success) return spec;
  const resolved: Record<string, unknown> = { ...spec };
  for (const [field, { secret }] of Object.entries(parsed.data.properties)) {
    const value = spec[field];
    if (secret === undefined || typeof value !== "string") continue;
    const where = source.locate(["spec", field]);
    resolved[field] = await resolveReference(value, { where, file: source.file, env });
  }
  return resolved;
}

async function resolveReference(
  value: string,
  { where, file, env }: {
    readonly where: string;
    readonly file: string;
    readonly env: Readonly<Record<string, string | undefined>>;
  },
): Promise<string> {
  const [, scheme, name = ""] = /^\$\{(env|file):([^}]+)\}$/.exec(value) ?? [];
  if (scheme === undefined) return value;
  if (scheme === "env") {
    const found = env[name];
    if (found !== undefined && found !== "") return found;
    throw refused(where, `Environment variable "${name}" is not set`);
  }
  try {
    return (await readFile(resolve(dirname(file), name), "utf8")).replace(/\r?\n$/, "");
  } catch (error) {
    throw refused(where, `Cannot read "${name}": ${reasonOf(error)}`, error);
  }
}

function refused(where: string, reason: string, cause?: unknown): PlatformError {
  return new PlatformError("CLI_SECRET_REFERENCE", { where, reason }, { cause });
}

import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { parseEnv } from "node:util";
import { PlatformError, reasonOf } from "../../errors/platform-error.ts";
import type { OptionSpec } from "../command.ts";
import type { CommandIo } from "../io.ts";
import { loadDocuments, type LoadedDocument } from "./documents.ts";

/** Options of the commands that read documents from files. */
export const fileOptions = {
  file: {
    type: "list",
    short: "f",
    value: "PATH",
    summary: "A file, a directory with YAML files, or - for standard input",
  },
  prune: {
    type: "flag",
    summary: "Also delete what no file names, of the kinds that the files have",
  },
  pruneAllKinds: { type: "flag", summary: "With --prune: of every kind" },
  envFile: {
    type: "text",
    value: "FILE",
    summary: "Variables for ${env:NAME}; those of the environment go before",
  },
} as const satisfies Readonly<Record<string, OptionSpec>>;

/** Files may also follow without -f, as a shell expands `-f *.yaml`. */
export const fileArguments = {
  files: { summary: "More files or directories", optional: true, variadic: true },
} as const;

interface FileInput {
  readonly files: readonly string[];
  readonly file: readonly string[];
  readonly pruneAllKinds: boolean;
  readonly prune: boolean;
  readonly envFile: string | undefined;
}

/** Reads what the options name. Throws CLI_USAGE, and as `loadDocuments` does. */
export async function readFileOptions(
  command: string,
  { files, file, prune, pruneAllKinds, envFile }: FileInput,
  io: CommandIo,
): Promise<{
  readonly documents: readonly LoadedDocument[];
  readonly env: Readonly<Record<string, string | undefined>>;
}> {
  const paths = [...file, ...files];
  const usage = (reason: string) => new PlatformError("CLI_USAGE", { reason, command });
  if (paths.length === 0) throw usage("Name a file or a directory with -f");
  if (pruneAllKinds && !prune) throw usage("--prune-all-kinds goes with --prune");
  const variables = envFile === undefined ? {} : await readEnvFile(resolve(io.cwd, envFile));
  const documents = await loadDocuments(paths, io);
  return { documents, env: { ...variables, ...io.env } };
}

async function readEnvFile(file: string): Promise<Readonly<Record<string, string | undefined>>> {
  try {
    return parseEnv(await readFile(file, "utf8"));
  } catch (error) {
    const params = { file, reason: reasonOf(error) };
    throw new PlatformError("CONFIG_UNREADABLE", params, { cause: error });
  }
}

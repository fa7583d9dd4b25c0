import { readdir, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { z } from "zod";
import { apiVersion, type ObjectDocument } from "../../catalog/kind.ts";
import { loadText, parseYaml, validateSource, type YamlSource } from "../../config/yaml-source.ts";
import { PlatformError } from "../../errors/platform-error.ts";
import type { CommandIo } from "../io.ts";

const documentSchema = z.strictObject({
  apiVersion: z.literal(apiVersion, `write "${apiVersion}"`),
  kind: z.string().min(1, "name the kind of the object"),
  name: z.string().min(1, "give the object a name"),
  spec: z.record(z.string(), z.unknown()),
});

/** One object as a file has it, secrets as they are written there. */
export interface LoadedDocument {
  readonly document: ObjectDocument;
  readonly source: YamlSource;
}

/** A text that holds documents, and what to call it. */
export interface ObjectText {
  readonly text: string;
  readonly file: string;
}

/**
 * Reads the documents of texts. Throws CONFIG_SYNTAX, CONFIG_INVALID, and CLI_DOCUMENT for an
 * object that is there twice and for a text without one.
 */
export function parseDocuments(texts: readonly ObjectText[]): readonly LoadedDocument[] {
  const documents = texts.flatMap(({ text, file }) => {
    const sources = parseYaml(text, file);
    if (sources.length > 0) return sources;
    throw new PlatformError("CLI_DOCUMENT", { where: file, reason: "It holds no object" });
  }).map((source) => ({ source, document: validateSource(documentSchema, source) }));
  refuseDuplicates(documents);
  return documents;
}

/**
 * Reads files, directories (their YAML files, and those below them) and `-`, standard input. Throws
 * CONFIG_UNREADABLE, CLI_NO_OBJECTS for a directory without YAML files, and as `parseDocuments`.
 */
export async function loadDocuments(
  paths: readonly string[],
  { cwd, readStdin }: Pick<CommandIo, "cwd" | "readStdin">,
): Promise<readonly LoadedDocument[]> {
  const texts: ObjectText[] = [];
  // The same file may be named twice, itself and by its directory.
  const seen = new Set<string>();
  for (const path of paths) {
    if (path === "-") {
      texts.push({ text: await readStdin(), file: "standard input" });
      continue;
    }
    for (const file of await expand(resolve(cwd, path))) {
      if (seen.has(file)) continue;
      seen.add(file);
      texts.push({ text: await loadText(file), file });
    }
  }
  return parseDocuments(texts);
}

async function expand(path: string): Promise<readonly string[]> {
  const isDirectory = await stat(path).then((entry) => entry.isDirectory(), () => false);
  if (!isDirectory) return [path];
  const files = await listYaml(path);
  if (files.length > 0) return files;
  throw new PlatformError("CLI_NO_OBJECTS", { directory: path });
}

async function listYaml(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  const files: string[] = [];
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith(".") || entry.name === "node_modules") continue;
    const path = join(directory, entry.name);
    if (entry.isDirectory()) files.push(...await listYaml(path));
    else if (/\.ya?ml$/i.test(entry.name)) files.push(path);
  }
  return files;
}

function refuseDuplicates(documents: readonly LoadedDocument[]): void {
  const places = new Map<string, string>();
  for (const { document: { kind, name }, source } of documents) {
    const where = source.locate(["name"]);
    const first = places.get(`${kind}/${name}`);
    if (first !== undefined) {
      const reason = `${kind} "${name}" is defined twice, first at ${first}`;
      throw new PlatformError("CLI_DOCUMENT", { where, reason });
    }
    places.set(`${kind}/${name}`, where);
  }
}

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { installation } from "./installation.ts";

/** Where a project keeps what belongs to this machine; not for version control. */
export const machineFolder = ".dragoman";

const note = "Written by dragoman for this machine: it names where Dragoman is installed here. " +
  "Not for version control; dragoman check, test and dev write it anew.";

/**
 * Writes what editors need to resolve "dragoman" to this installation, into `.dragoman/` of a
 * project: the project's own tsconfig.json and deno.json refer to it, so that they are the same on
 * every machine.
 */
export async function writeEditorFiles(directory: string): Promise<void> {
  const folder = join(directory, machineFolder);
  await mkdir(folder, { recursive: true });
  const { objectSchema } = await import("../objects/document-schema.ts");
  const files = {
    "tsconfig.json": tsconfig(),
    "import-map.json": importMap(),
    "objects.schema.json": objectSchema(),
  };
  for (const [name, content] of Object.entries(files)) {
    await writeFile(join(folder, name), JSON.stringify(content, null, 2) + "\n");
  }
}

function tsconfig() {
  return {
    "//": note,
    compilerOptions: {
      strict: true,
      noUncheckedIndexedAccess: true,
      exactOptionalPropertyTypes: true,
      verbatimModuleSyntax: true,
      erasableSyntaxOnly: true,
      allowImportingTsExtensions: true,
      skipLibCheck: true,
      noEmit: true,
      target: "esnext",
      module: "esnext",
      moduleResolution: "bundler",
      lib: ["esnext", "dom", "dom.iterable"],
      paths: Object.fromEntries(
        Object.entries(installation.modules).map(([name, path]) => [name, [path]]),
      ),
      types: ["node"],
      typeRoots: [installation.typeRoots],
    },
  };
}

function importMap() {
  return {
    "//": note,
    imports: Object.fromEntries(
      Object.entries(installation.modules).map(([name, path]) => [name, pathToFileURL(path).href]),
    ),
  };
}

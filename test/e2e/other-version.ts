import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dirname!, "../..");

/** A second installation of Dragoman: this one's code, with a few changes. */
export interface OtherVersion {
  readonly directory: string;
  readonly launcher: string;
  /** Of whoever runs it: compiled code is kept in a directory that goes with it. */
  readonly env: Readonly<Record<string, string>>;
  remove(): Promise<void>;
}

/** What a step of the schema means to versions that do not know it. */
export type Step = "additive" | "breaking";

/**
 * Copies the code to a new directory, as version `version`, with more steps of the schema and one
 * more field of RestChannel, which has a default.
 */
export async function makeOtherVersion(
  { version, steps }: { readonly version: string; readonly steps: readonly Step[] },
): Promise<OtherVersion> {
  const directory = await mkdtemp(join(tmpdir(), "dragoman-version-"));
  for (const part of ["src", "scripts", "dragoman", "deno.json", "package.json"]) {
    await cp(join(root, part), join(directory, part), { recursive: true });
  }
  // The launcher compares its time with that of what is installed.
  const lock = "package-lock.json";
  await cp(join(root, lock), join(directory, lock), { preserveTimestamps: true });
  await symlink(join(root, "node_modules"), join(directory, "node_modules"));
  const edit = (file: string, from: RegExp, to: string) => change(join(directory, file), from, to);
  await edit("src/config/component.ts", /const version = ".*"/, `const version = "${version}"`);
  await edit("src/odb/migrations/registry.ts", /export const migrations\b/, "const earlier");
  await edit(
    "src/odb/migrations/registry.ts",
    /export const latestVersion/,
    `const steps: readonly string[] = ${JSON.stringify(steps)};

    export const migrations: readonly Migration[] = [
      ...earlier,
      ...steps.map((step, index) => {
        const version = earlier.length + index + 1;
        return {
          version,
          name: "later",
          needs: step === "breaking" ? version : 1,
          statements: ({ types, addColumn }: Parameters<Migration["statements"]>[0]) => [
            \`create table if not exists later_\${version} (id integer not null primary key)\`,
            ...addColumn("server", \`later_\${version}\`, types.text),
          ],
        };
      }),
    ];

    export const latestVersion`,
  );
  await edit(
    "src/connectors/rest/index.ts",
    /schema: z\.strictObject\(\{/,
    `$& later: z.boolean().default(true).meta({ description: "New in this version" }),`,
  );
  return {
    directory,
    launcher: join(directory, "dragoman"),
    env: { DENO_DIR: join(directory, "compiled") },
    remove: () => rm(directory, { recursive: true, force: true }),
  };
}

async function change(file: string, from: RegExp, to: string): Promise<void> {
  const text = await readFile(file, "utf8");
  if (!from.test(text)) throw new Error(`${file} has nothing like ${from}`);
  await writeFile(file, text.replace(from, to));
}

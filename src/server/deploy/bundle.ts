import { stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import type { BuildFailure, Plugin } from "esbuild";
import { PlatformError, reasonOf } from "../../errors/platform-error.ts";

/** A source file of services as it travels to the cluster. */
export interface DeployFile {
  /** The file's base name, such as `hello.ts`: what a later deploy of it replaces. */
  readonly name: string;
  /** The bundle: an ES module. */
  readonly code: string;
  readonly sourceMap: string;
}

/**
 * Bundles one source file of services with everything it imports into a single ES module. The
 * platform's own module stays outside: `import ... from "dragoman"` reads the running server's.
 * The result does not depend on where the file lies, so equal sources have equal hashes.
 * Throws DEPLOY_FILE_UNREADABLE, or DEPLOY_COMPILE with file, line and column; `details` are lines
 * that name further problems.
 */
export async function bundleFile(path: string): Promise<DeployFile> {
  const file = resolve(path);
  try {
    if (!(await stat(file)).isFile()) throw new Error("It is not a file");
  } catch (error) {
    throw new PlatformError("DEPLOY_FILE_UNREADABLE", { file, reason: reasonOf(error) }, {
      cause: error,
    });
  }
  const name = basename(file);
  const { build } = await import("esbuild");
  try {
    const result = await build({
      absWorkingDir: dirname(file),
      entryPoints: [name],
      // The map's sources become relative to this: the author's own file names.
      outfile: join(dirname(file), "bundle.mjs"),
      bundle: true,
      format: "esm",
      platform: "node",
      target: "esnext",
      sourcemap: "external",
      legalComments: "none",
      logLevel: "silent",
      write: false,
      plugins: [await platformModule()],
    });
    const text = (suffix: string) =>
      result.outputFiles.find((output) => output.path.endsWith(suffix))?.text ?? "";
    return { name, code: text("bundle.mjs"), sourceMap: text(".map") };
  } catch (error) {
    throw compileError(error, file);
  }
}

/** Ends the compiler's child process, which would keep a short-lived process alive. */
export async function stopBundler(): Promise<void> {
  const { stop } = await import("esbuild");
  await stop();
}

// What is imported from "dragoman" is taken from the server that loads the bundle, so that there
// is one copy of it and of zod, whatever version of the platform the bundle was made with.
async function platformModule(): Promise<Plugin> {
  const names = Object.keys(await import("../../service/index.ts"));
  const contents = [
    `const platform = globalThis[Symbol.for("dragoman.module")];`,
    ...names.map((name) => `export const ${name} = platform.${name};`),
  ].join("\n");
  return {
    name: "dragoman",
    setup(build) {
      build.onResolve(
        { filter: /^dragoman$/ },
        () => ({ path: "dragoman", namespace: "platform" }),
      );
      build.onLoad({ filter: /.*/, namespace: "platform" }, () => ({ contents, loader: "js" }));
    },
  };
}

function compileError(error: unknown, file: string): PlatformError {
  const problems = isBuildFailure(error) ? error.errors : [];
  const places = problems.map(({ text, location }) => ({
    where: location === null
      ? file
      : `${join(dirname(file), location.file)}:${location.line}:${location.column + 1}`,
    reason: text,
  }));
  const [first] = places;
  return new PlatformError("DEPLOY_COMPILE", {
    where: first?.where ?? file,
    reason: first?.reason ?? reasonOf(error),
  }, { cause: error, details: places.slice(1).map(({ where, reason }) => `${where}: ${reason}`) });
}

function isBuildFailure(error: unknown): error is BuildFailure {
  return error instanceof Error && "errors" in error && Array.isArray(error.errors);
}

import { stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import type { BuildFailure, BuildOptions } from "esbuild";
import { PlatformError, reasonOf } from "../../errors/platform-error.ts";
import { bundleOptions, noOtherImports } from "./bundle-options.ts";

/** A source file of services as it travels to the cluster. */
export interface DeployFile {
  /** The file's base name, such as `hello.ts`: what a later deploy of it replaces. */
  readonly name: string;
  /** The bundle: an ES module. */
  readonly code: string;
  readonly sourceMap: string;
}

/** The text of a source file, wherever it came from. */
export interface SourceText {
  /** Its base name. */
  readonly name: string;
  readonly source: string;
  /**
   * Where its imports are looked for, as if it lay there. Absent: it may import "dragoman" and
   * Node's own modules, nothing else.
   */
  readonly directory?: string;
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
  return await build(name, {
    ...await bundleOptions(),
    absWorkingDir: dirname(file),
    entryPoints: [name],
  });
}

/** As `bundleFile`, for text that need not be a file. The same text makes the same bundle. */
export async function bundleSource(
  { name, source, directory }: SourceText,
): Promise<DeployFile> {
  const options = await bundleOptions();
  const loader = /\.m?ts$/i.test(name) ? "ts" : "js";
  return await build(name, {
    ...options,
    absWorkingDir: directory ?? tmpdir(),
    plugins: [...directory === undefined ? [noOtherImports()] : [], ...options.plugins ?? []],
    stdin: {
      contents: source,
      sourcefile: name,
      loader,
      ...(directory === undefined ? {} : { resolveDir: directory }),
    },
  });
}

let building = 0;
let isStopWanted = false;

/**
 * Ends the compiler's child process, which would keep a short-lived process alive and takes memory
 * in a long-lived one. It starts again when it is needed, and ends after what it has in hand.
 */
export async function stopBundler(): Promise<void> {
  isStopWanted = building > 0;
  if (isStopWanted) return;
  const { stop } = await import("esbuild");
  await stop();
}

async function build(
  name: string,
  options: BuildOptions & { readonly write: false; readonly absWorkingDir: string },
): Promise<DeployFile> {
  const esbuild = await import("esbuild");
  const directory = options.absWorkingDir;
  building++;
  try {
    const result = await esbuild.build({
      ...options,
      // The map's sources become relative to this: the author's own file names.
      outfile: join(directory, "bundle.mjs"),
    });
    const text = (suffix: string) =>
      result.outputFiles.find((output) => output.path.endsWith(suffix))?.text ?? "";
    return { name, code: text("bundle.mjs"), sourceMap: text(".map") };
  } catch (error) {
    // Text that was sent has no place on a disk that its author would know.
    throw compileError(error, options.stdin === undefined ? join(directory, name) : name);
  } finally {
    building--;
    if (isStopWanted) await stopBundler();
  }
}

/** DEPLOY_COMPILE for what the compiler threw; its columns count characters. */
export function compileError(error: unknown, file: string): PlatformError {
  const problems = isBuildFailure(error) ? error.errors : [];
  const places = problems.map(({ text, location }) => ({
    where: location === null
      ? file
      : `${join(dirname(file), location.file)}:${location.line}:${columnOf(location)}`,
    reason: text,
  }));
  const [first] = places;
  return new PlatformError("DEPLOY_COMPILE", {
    where: first?.where ?? file,
    reason: first?.reason ?? reasonOf(error),
  }, { cause: error, details: places.slice(1).map(({ where, reason }) => `${where}: ${reason}`) });
}

/** The compiler counts bytes, from 0. */
function columnOf({ lineText, column }: { readonly lineText: string; readonly column: number }) {
  return Buffer.from(lineText).subarray(0, column).toString("utf8").length + 1;
}

function isBuildFailure(error: unknown): error is BuildFailure {
  return error instanceof Error && "errors" in error && Array.isArray(error.errors);
}

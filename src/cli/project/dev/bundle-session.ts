import { basename, dirname, join, resolve } from "node:path";
import { compileError, type DeployFile } from "../../../server/deploy/bundle.ts";
import { bundleOptions } from "../../../server/deploy/bundle-options.ts";

/** A source file that is bundled again and again: what has not changed is not read anew. */
export interface BundleSession {
  /** As `bundleFile`, with every file that went into it. Throws DEPLOY_COMPILE. */
  rebuild(): Promise<{ readonly bundle: DeployFile; readonly inputs: readonly string[] }>;
  close(): Promise<void>;
}

/** Opens a session for one source file of services. The bundle is the one that `deploy` makes. */
export async function openBundleSession(file: string): Promise<BundleSession> {
  const { context } = await import("esbuild");
  const directory = dirname(file);
  const builder = await context({
    ...await bundleOptions(),
    absWorkingDir: directory,
    entryPoints: [basename(file)],
    outfile: join(directory, "bundle.mjs"),
    metafile: true,
  });
  return {
    async rebuild() {
      try {
        const { outputFiles, metafile } = await builder.rebuild();
        const text = (suffix: string) =>
          outputFiles.find(({ path }) => path.endsWith(suffix))?.text ?? "";
        const inputs = Object.keys(metafile.inputs)
          // The platform's own module is no file.
          .filter((name) => !/^[\w-]+:/.test(name))
          .map((name) => resolve(directory, name));
        const name = basename(file);
        return { bundle: { name, code: text("bundle.mjs"), sourceMap: text(".map") }, inputs };
      } catch (error) {
        throw compileError(error, file);
      }
    },
    close: () => builder.dispose(),
  };
}

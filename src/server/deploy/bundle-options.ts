import { isBuiltin } from "node:module";
import type { BuildOptions, Plugin } from "esbuild";

/** How every bundle is built: one ES module with a map, the same wherever the sources lie. */
export async function bundleOptions(): Promise<BuildOptions & { readonly write: false }> {
  return {
    bundle: true,
    format: "esm",
    platform: "node",
    target: "esnext",
    sourcemap: "external",
    legalComments: "none",
    logLevel: "silent",
    write: false,
    plugins: [await platformModule(), builtinModules()],
  };
}

/** Refuses every import but the platform and Node's own modules: there is nothing else to find. */
export function noOtherImports(): Plugin {
  const text = (path: string) =>
    `"${path}" cannot be imported by a file that is uploaded alone; deploy it with ` +
    "`dragoman deploy`, which bundles what it imports";
  return {
    name: "no-other-imports",
    setup(build) {
      build.onResolve({ filter: /.*/ }, ({ path, kind, namespace }) => {
        const isOurs = kind === "entry-point" || path === "dragoman" || isBuiltin(path) ||
          namespace.startsWith("builtin");
        return isOurs ? undefined : { errors: [{ text: text(path) }] };
      });
    },
  };
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
      build.onLoad(
        { filter: /.*/, namespace: "platform" },
        () => ({ contents, loader: "js" }),
      );
    },
  };
}

// Packages name Node's modules without "node:", and old ones call `require`, which an ES module
// does not have: they get the module's default export, which is what `require` returns.
function builtinModules(): Plugin {
  return {
    name: "builtins",
    setup(build) {
      build.onResolve({ filter: /^builtin-esm:/ }, ({ path }) => ({
        path: path.slice("builtin-esm:".length),
        namespace: "builtin-esm",
      }));
      build.onResolve({ filter: /.*/ }, ({ path, kind }) => {
        if (!isBuiltin(path)) return undefined;
        const bare = path.replace(/^node:/, "");
        if (kind === "require-call") return { path: bare, namespace: "builtin-cjs" };
        return { path: `node:${bare}`, external: true };
      });
      build.onLoad({ filter: /.*/, namespace: "builtin-cjs" }, ({ path }) => ({
        contents: `module.exports = require("builtin-esm:${path}").default;`,
        loader: "js",
      }));
      build.onLoad({ filter: /.*/, namespace: "builtin-esm" }, ({ path }) => ({
        contents: `import module from "node:${path}";\nexport default module;`,
        loader: "js",
      }));
    },
  };
}

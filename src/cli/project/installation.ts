import { fileURLToPath } from "node:url";

/** Where this installation's files are that a project of services is run and checked with. */
export const installation = {
  root: place("../../../"),
  /** Maps "dragoman" and "dragoman/testing" for the runtime, and sets its compiler options. */
  config: place("../../../deno.json"),
  modules: {
    "dragoman": place("../../service/index.ts"),
    "dragoman/testing": place("../../service/testing/index.ts"),
  },
  typeRoots: place("../../../node_modules/@types"),
} as const;

function place(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url));
}

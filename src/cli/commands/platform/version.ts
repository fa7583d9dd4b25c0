import { version } from "../../../config/component.ts";
import { defineCommand, outputOption } from "../../command.ts";
import { printResult } from "../../output.ts";

export const command = defineCommand({
  path: "version",
  summary: "Print the version of Dragoman and of what it runs on",
  arguments: {},
  options: { output: outputOption },
  examples: ["dragoman version", "dragoman version -o json"],
  async run({ output }, io) {
    // `deno` is in process.versions where that is the runtime.
    const runtime = process.versions["deno"] === undefined
      ? `node ${process.versions.node}`
      : `deno ${process.versions["deno"]}`;
    const platform = `${process.platform} ${process.arch}`;
    const value = { version, runtime, platform };
    const table = `dragoman ${version} (${runtime}, ${platform})`;
    await printResult(io.stdout, output, { value, table });
  },
});

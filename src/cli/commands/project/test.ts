import { relative, resolve } from "node:path";
import { PlatformError } from "../../../errors/platform-error.ts";
import { defineCommand } from "../../command.ts";
import { exitCodes } from "../../error-text.ts";
import { writeEditorFiles } from "../../project/editor-files.ts";
import { findProjectFiles, requireProject } from "../../project/project-files.ts";
import { runRuntime } from "../../project/runtime-process.ts";

export const command = defineCommand({
  path: "test",
  summary: "Run the tests of a project's services: every *.test.ts",
  description: "Tests run without a cluster; dragoman/testing lends them everything that a " +
    "service reaches. Types are not checked: that is dragoman check.",
  arguments: {
    directory: { summary: "The project (default: the working directory)", optional: true },
  },
  options: {
    filter: { type: "text", value: "TEXT", summary: "Only tests whose names contain this" },
  },
  examples: ["dragoman test", "dragoman test ./shop --filter greets"],
  async run({ directory = ".", filter }, io) {
    const project = await requireProject(resolve(io.cwd, directory));
    const { tests } = await findProjectFiles(project);
    if (tests.length === 0) {
      throw new PlatformError("CLI_PROJECT_EMPTY", { directory: project, what: "*.test.ts file" });
    }
    await writeEditorFiles(project);
    const words = [
      "-A",
      "--no-check",
      "--quiet",
      "--no-prompt",
      ...(filter === undefined ? [] : ["--filter", filter]),
      ...tests.map((file) => relative(project, file)),
    ];
    const { code } = await runRuntime("test", words, {
      cwd: project,
      colour: io.stdout.colour,
      onText: (text, stream) => io[stream].write(text),
    });
    return code === 0 ? exitCodes.ok : exitCodes.failed;
  },
});

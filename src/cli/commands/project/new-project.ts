import { basename, resolve } from "node:path";
import { isEmptyDirectory } from "../../../config/component.ts";
import { PlatformError } from "../../../errors/platform-error.ts";
import { generateToken } from "../../../lib/random-secret.ts";
import { defineCommand } from "../../command.ts";
import { quoteWord } from "../../output.ts";
import { writeEditorFiles } from "../../project/editor-files.ts";
import { writeNewFiles } from "../../project/new-files.ts";
import { projectFiles, projectName } from "../../project/project-template.ts";

export const command = defineCommand({
  path: "new project",
  summary: "Make a project of services: a service, its test, its channel and an API key",
  arguments: { directory: { summary: "A new or an empty directory" } },
  options: {},
  examples: ["dragoman new project shop"],
  async run({ directory }, io) {
    const target = resolve(io.cwd, directory);
    if (!await isEmptyDirectory(target)) {
      throw new PlatformError("CLI_DIRECTORY_NOT_EMPTY", { directory: target });
    }
    const files = projectFiles({ name: projectName(basename(target)), key: generateToken() });
    await writeNewFiles(target, files);
    await writeEditorFiles(target);
    const lines = files.map(({ path }) => `  ${path}`).join("\n");
    io.stdout.write(
      `Made ${target}\n\n${lines}\n\nNext:\n  cd ${quoteWord(directory)}\n  dragoman dev\n`,
    );
  },
});

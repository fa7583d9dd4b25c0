import { relative, resolve } from "node:path";
import { PlatformError } from "../../../errors/platform-error.ts";
import { defineCommand } from "../../command.ts";
import { exitCodes } from "../../error-text.ts";
import { writeEditorFiles } from "../../project/editor-files.ts";
import { findProjectFiles, requireProject } from "../../project/project-files.ts";
import { renderTypeProblem } from "../../project/problem-text.ts";
import { checkTypes } from "../../project/type-check.ts";

export const command = defineCommand({
  path: "check",
  summary: "Check the types of a project's services, tests and declarations",
  arguments: {
    directory: { summary: "The project (default: the working directory)", optional: true },
  },
  options: {},
  examples: ["dragoman check", "dragoman check ./shop"],
  async run({ directory = "." }, io) {
    const project = await requireProject(resolve(io.cwd, directory));
    const { sources } = await findProjectFiles(project);
    if (sources.length === 0) {
      throw new PlatformError("CLI_PROJECT_EMPTY", { directory: project, what: "TypeScript file" });
    }
    await writeEditorFiles(project);
    const began = performance.now();
    const { problems, failure } = await checkTypes(
      project,
      sources.map((file) => relative(project, file)),
    );
    for (const problem of problems) {
      io.stdout.write(await renderTypeProblem(problem, { directory: project, sink: io.stdout }));
    }
    if (failure !== undefined) io.stdout.write(`${failure}\n`);
    const seconds = ((performance.now() - began) / 1_000).toFixed(1);
    const files = `${sources.length} ${sources.length === 1 ? "file" : "files"}`;
    if (problems.length === 0 && failure === undefined) {
      io.stdout.write(`No type errors in ${files} (${seconds} s)\n`);
      return exitCodes.ok;
    }
    const errors = problems.length === 1 ? "1 type error" : `${problems.length} type errors`;
    io.stdout.write(
      `${failure === undefined ? errors : "Not checked"} in ${files} (${seconds} s)\n`,
    );
    return exitCodes.failed;
  },
});

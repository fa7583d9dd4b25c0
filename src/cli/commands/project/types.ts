import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { writeFileAtomic } from "../../../lib/atomic-file.ts";
import { loadEnvironment, withAdmin } from "../../cluster/environment.ts";
import { defineCommand, environmentOption } from "../../command.ts";
import { exitCodes } from "../../error-text.ts";
import { declarationsName, loadDeclarations } from "../../project/types/declarations-file.ts";

export const command = defineCommand({
  path: "types",
  summary: "Write declarations of what exists in the cluster, so that wrong names do not compile",
  description: "Names of services, outgoing connections, channels, caches, configurations and " +
    "dictionaries, and the types of what services take and give. Exit code 3 with --check when " +
    "the file is not up to date.",
  arguments: {},
  options: {
    output: {
      type: "text",
      short: "o",
      value: "FILE",
      default: declarationsName,
      summary: "The file, or - for standard output",
    },
    check: { type: "flag", summary: "Only say whether the file is up to date" },
    env: environmentOption,
  },
  examples: ["dragoman types --env ./demo", "dragoman types --check --env ./demo"],
  async run({ output, check, env }, io) {
    const environment = await loadEnvironment({ env }, io);
    const text = await withAdmin(environment, loadDeclarations);
    if (output === "-") {
      io.stdout.write(text);
      return exitCodes.ok;
    }
    const file = resolve(io.cwd, output);
    const isCurrent = await readFile(file, "utf8").catch(() => undefined) === text;
    if (isCurrent) io.stdout.write(`${file} is up to date\n`);
    else if (check) io.stdout.write(`${file} is not up to date; run dragoman types\n`);
    else {
      await writeFileAtomic(file, text, { mode: 0o644 });
      io.stdout.write(`Wrote ${file}\n`);
    }
    return check && !isCurrent ? exitCodes.differs : exitCodes.ok;
  },
});

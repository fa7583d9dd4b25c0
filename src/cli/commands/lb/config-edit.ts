import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PlatformError } from "../../../errors/platform-error.ts";
import type { ConfigurationView } from "../../../load-balancer/api.ts";
import { changeOptions, renderChange } from "../../balancer/change.ts";
import { renderDiff } from "../../balancer/diff-text.ts";
import {
  documentFileOption,
  parseDocumentText,
  readDocument,
} from "../../balancer/document-file.ts";
import { loadEnvironment, withAgent } from "../../cluster/environment.ts";
import { defineCommand } from "../../command.ts";
import type { CommandIo } from "../../io.ts";
import { printResult } from "../../output.ts";

const path = "lb config edit";

export const command = defineCommand({
  path,
  summary: "Edit the balancer's configuration in your editor and make it live",
  description:
    "Opens $VISUAL, $EDITOR or vi with every field. What is saved is checked by the engine, its " +
    "difference shown, and made live without dropping a connection; nothing changes when it is " +
    "refused, or when somebody else changed the configuration meanwhile.",
  arguments: {},
  options: {
    file: { ...documentFileOption, summary: "Take this instead of opening an editor; - for input" },
    ...changeOptions,
  },
  examples: ["dragoman lb config edit --env ./demo", "EDITOR=nano dragoman lb config edit"],
  async run({ file, why, force, env, output }, io) {
    const environment = await loadEnvironment({ env }, io);
    await withAgent(environment, async (agent) => {
      const { configuration } = agent;
      const view = await configuration.show();
      const document = file === undefined
        ? await edit(view, io)
        : await readDocument(file, io, path);
      const diff = await configuration.diff({ document });
      io.stderr.write(`${renderDiff(diff, io.stderr)}\n`);
      const base = view.head ?? null;
      const result = await configuration.apply({ document, base, force, why: why || undefined });
      await printResult(io.stdout, output, {
        value: result,
        table: renderChange("The configuration is live", result),
      });
    });
  },
});

const head = `# The balancer's configuration. Fields that you take out are as in config.yaml.
# Lines of HAProxy's own language go under lines: for the sections global, defaults, frontend and
# backend; whole sections go under lines.sections.
`;

async function edit(view: ConfigurationView, io: CommandIo): Promise<unknown> {
  const { stringify } = await import("yaml");
  const directory = await mkdtemp(join(tmpdir(), "dragoman-lb-"));
  const file = join(directory, "balancer.yaml");
  try {
    await writeFile(file, head + stringify(view.document), { mode: 0o600 });
    await runEditor(io.env["VISUAL"] || io.env["EDITOR"] || "vi", file);
    return parseDocumentText(await readFile(file, "utf8"), "balancer.yaml", path);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Through a shell, as EDITOR may hold options; the file's name is an argument of its own. */
function runEditor(editor: string, file: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (reason: string) => new PlatformError("CLI_EDITOR", { editor, reason });
    const child = spawn("/bin/sh", ["-c", `${editor} "$1"`, "sh", file], { stdio: "inherit" });
    child.once("error", (error) => reject(failed(error.message)));
    child.once("exit", (code, signal) => {
      if (code === 0) resolve();
      else reject(failed(signal ?? `exit code ${code}`));
    });
  });
}

import { resolve } from "node:path";
import { PlatformError } from "../../../errors/platform-error.ts";
import { generatePassword } from "../../../lib/random-secret.ts";
import { defineCommand, outputOption } from "../../command.ts";
import { loadPassword, passwordFileOption } from "../../creation/passwords.ts";
import type { CommandIo } from "../../io.ts";
import { printResult } from "../../output.ts";

export const command = defineCommand({
  path: "create user",
  summary: "Add a user to a web admin",
  description: "Without --password-file or --prompt a password is made and shown once.",
  arguments: { directory: { summary: "The web admin's directory" } },
  options: {
    username: { type: "text", value: "NAME", required: true, summary: "What the user logs in as" },
    passwordFile: passwordFileOption("the new user"),
    prompt: { type: "flag", summary: "Ask for the password on the terminal" },
    output: outputOption,
  },
  examples: [
    "dragoman create user ./demo/web-admin --username ana",
    "dragoman create user ./demo/web-admin --username ana --prompt",
  ],
  async run({ directory, username, passwordFile, prompt, output }, io) {
    const given = prompt ? await askTwice(io) : await loadPassword(passwordFile, io);
    const password = given ?? generatePassword();
    const { createUser } = await import("../../../../web-admin/server/users.ts");
    await createUser(resolve(io.cwd, directory), { username, password });
    const shown = given === undefined ? { password } : {};
    const lines = [`User "${username}" may log in now`];
    if (given === undefined) lines.push(`Password (shown this once): ${password}`);
    await printResult(io.stdout, output, {
      value: { username, ...shown },
      table: lines.join("\n"),
    });
  },
});

async function askTwice({ prompt }: CommandIo): Promise<string> {
  const first = await prompt.askSecret("Password:");
  if (await prompt.askSecret("The same again:") === first) return first;
  throw new PlatformError("CLI_USAGE", {
    reason: "The two passwords are not the same",
    command: "create user",
  });
}

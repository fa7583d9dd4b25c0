import { renderCompletion } from "../../completion.ts";
import { defineCommand } from "../../command.ts";
import { loadCommands } from "../../registry.ts";

export const command = defineCommand({
  path: "completion",
  summary: "Print a completion script for a shell",
  arguments: { shell: { summary: "bash, zsh or fish" } },
  options: {},
  examples: [
    'eval "$(dragoman completion bash)"',
    "dragoman completion zsh > ~/.zfunc/_dragoman",
    "dragoman completion fish > ~/.config/fish/completions/dragoman.fish",
  ],
  async run({ shell }, io) {
    io.stdout.write(renderCompletion(shell, await loadCommands("")));
  },
});

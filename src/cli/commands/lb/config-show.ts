import { loadEnvironment, withAgent } from "../../cluster/environment.ts";
import { defineCommand, environmentOption, outputOption } from "../../command.ts";
import { printResult } from "../../output.ts";

export const command = defineCommand({
  path: "lb config show",
  summary: "Show the balancer's configuration, or what its engine runs",
  description:
    "Every field that can change while the balancer runs, with its value: what dragoman lb " +
    "config edit edits. With --source the whole configuration in the engine's own language, such " +
    "as haproxy.cfg.",
  arguments: {},
  options: {
    source: { type: "flag", summary: "In the engine's own language" },
    revision: {
      type: "text",
      value: "ID",
      summary: "What an earlier revision changed of config.yaml",
    },
    env: environmentOption,
    output: outputOption,
  },
  examples: [
    "dragoman lb config show --env ./demo",
    "dragoman lb config show --source",
    "dragoman lb config show --revision 3",
  ],
  async run({ source, revision, env, output }, io) {
    const environment = await loadEnvironment({ env }, io);
    const { stringify } = await import("yaml");
    const result = await withAgent(environment, async (agent) => {
      if (source) {
        const config = await agent.config();
        return { value: config, table: config.text.trimEnd() };
      }
      if (revision !== undefined) {
        const value = await agent.configuration.revision(revision);
        return { value, table: stringify(value.document).trimEnd() };
      }
      const value = await agent.configuration.show();
      const { head } = value;
      const from = head === undefined
        ? "# As config.yaml has it"
        : `# Revision ${head.id}: ${head.why} (${head.by}, ${head.at})`;
      return { value, table: `${from}\n${stringify(value.document).trimEnd()}` };
    });
    await printResult(io.stdout, output, result);
  },
});

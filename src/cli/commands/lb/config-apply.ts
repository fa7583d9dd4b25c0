import { changeOptions, runChange } from "../../balancer/change.ts";
import { documentFileOption, readDocument } from "../../balancer/document-file.ts";
import { defineCommand } from "../../command.ts";

const path = "lb config apply";

export const command = defineCommand({
  path,
  summary: "Make a configuration live without dropping a connection",
  description:
    "The file is the whole configuration: what it does not name is as in the balancer's " +
    "config.yaml, but servers stay as they are when it names none. One that the engine refuses changes nothing. Without --file the balancer reads " +
    "its config.yaml and its certificates anew, and keeps what was changed since.",
  arguments: {},
  options: { file: documentFileOption, ...changeOptions },
  examples: [
    "dragoman lb config apply -f balancer.yaml --why 'longer timeouts' --env ./demo",
    "dragoman lb config apply",
  ],
  async run({ file, why, force, ...input }, io) {
    if (file === undefined) {
      const what = "config.yaml and certificates were read anew";
      await runChange(input, io, { what, change: async (agent) => void await agent.reload() });
      return;
    }
    const document = await readDocument(file, io, path);
    await runChange(input, io, {
      what: "The configuration is live",
      change: (agent) => agent.configuration.apply({ document, force, why: why || undefined }),
    });
  },
});

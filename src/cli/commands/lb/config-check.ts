import { documentFileOption, readDocument } from "../../balancer/document-file.ts";
import { loadEnvironment, withAgent } from "../../cluster/environment.ts";
import { defineCommand, environmentOption } from "../../command.ts";

const path = "lb config check";

export const command = defineCommand({
  path,
  summary: "Say whether a configuration would run, and change nothing",
  description:
    "HAProxy itself checks it. Without --file: the balancer's config.yaml as it is on its disk.",
  arguments: {},
  options: { file: documentFileOption, env: environmentOption },
  examples: [
    "dragoman lb config check -f balancer.yaml --env ./demo",
    "dragoman lb config check",
  ],
  async run({ file, env }, io) {
    const environment = await loadEnvironment({ env }, io);
    await withAgent(environment, async (agent) => {
      if (file === undefined) await agent.check();
      else await agent.configuration.check(await readDocument(file, io, path));
    });
    io.stdout.write("The configuration is valid\n");
  },
});

import { resolve } from "node:path";
import { defaultPorts } from "../../../config/schemas.ts";
import { defineCommand } from "../../command.ts";
import { createBalancer } from "../../creation/create-balancer.ts";
import { hostOption, modeOption, portOption } from "../../creation/options.ts";
import { readTlsSource, tlsOptions } from "../../creation/tls-source.ts";

export const command = defineCommand({
  path: "create load-balancer",
  summary: "Create the directory of a load balancer with its agent",
  arguments: { directory: { summary: "A new or an empty directory" } },
  options: {
    name: { type: "text", value: "NAME", default: "load-balancer", summary: "Its name" },
    cluster: { type: "text", value: "NAME", required: true, summary: "The cluster it belongs to" },
    engine: {
      type: "choice",
      choices: ["auto", "haproxy", "embedded"],
      default: "auto",
      summary: "What spreads the traffic; auto takes HAProxy when it is installed",
    },
    host: hostOption,
    httpPort: portOption("For clients", defaultPorts.balancer),
    agentPort: portOption("Of the agent, for servers and operators", defaultPorts.balancerAgent),
    mode: modeOption,
    ...tlsOptions,
  },
  examples: ["dragoman create load-balancer ./load-balancer --cluster prod --ca ./ca"],
  async run(input, io) {
    const directory = resolve(io.cwd, input.directory);
    const tls = await readTlsSource(input, { command: "create load-balancer", io });
    const { name, cluster, engine: wanted, mode: environment, host } = input;
    const http = { host, port: input.httpPort };
    const agent = { host, port: input.agentPort };
    const options = { name, cluster, environment, engine: wanted, http, agent, tls };
    const engine = await createBalancer(directory, options);
    io.stdout.write(`Load balancer "${name}" (${engine}) is in ${directory}\n`);
    io.stderr.write(`Start it with: dragoman start ${directory}\n`);
  },
});

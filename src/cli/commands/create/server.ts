import { resolve } from "node:path";
import { defaultPorts } from "../../../config/schemas.ts";
import { loadText } from "../../../config/yaml-source.ts";
import { defineCommand } from "../../command.ts";
import { hostOption, modeOption, portOption } from "../../creation/options.ts";
import { createServer } from "../../creation/create-server.ts";
import { readKvdbAccess } from "../../creation/kvdb-access.ts";
import { odbPasswordOption, readOdbAccess } from "../../creation/odb-access.ts";
import { passwordFileOption } from "../../creation/passwords.ts";
import { readTlsSource, tlsOptions } from "../../creation/tls-source.ts";

export const command = defineCommand({
  path: "create server",
  summary: "Create the directory of a server",
  arguments: { directory: { summary: "A new or an empty directory" } },
  options: {
    name: { type: "text", value: "NAME", required: true, summary: "Unique within the cluster" },
    cluster: { type: "text", value: "NAME", required: true, summary: "The cluster it belongs to" },
    odbUrl: { type: "text", value: "URL", required: true, summary: "The ODB" },
    odbPasswordFile: odbPasswordOption,
    kvdbUrl: {
      type: "text",
      value: "URL",
      summary: "The KVDB, redis://HOST:PORT/DB (default: none; changes travel by polling)",
    },
    kvdbPasswordFile: passwordFileOption("the KVDB"),
    clusterKey: {
      type: "text",
      value: "FILE",
      required: true,
      summary: "The key that create cluster wrote",
    },
    host: hostOption,
    httpPort: portOption("For clients and the load balancer", defaultPorts.server),
    adminPort: portOption("Of the admin API", defaultPorts.serverAdmin),
    workers: {
      type: "integer",
      min: 1,
      max: 256,
      default: 1,
      value: "N",
      summary: "Processes that share the HTTP port",
    },
    agentUrl: {
      type: "text",
      value: "URL",
      summary: "The load balancer's agent, https://HOST:PORT, where the server registers",
    },
    mode: modeOption,
    ...tlsOptions,
  },
  examples: [
    "dragoman create server ./server1 --name server1 --cluster prod " +
    "--odb-url sqlite:///srv/odb.db --cluster-key ./prod.key --ca ./ca",
  ],
  async run(input, io) {
    const directory = resolve(io.cwd, input.directory);
    const tls = await readTlsSource(input, { command: "create server", io });
    const odb = await readOdbAccess({ url: input.odbUrl, passwordFile: input.odbPasswordFile }, io);
    const { kvdbUrl, kvdbPasswordFile } = input;
    const kvdb = kvdbUrl === undefined
      ? undefined
      : await readKvdbAccess({ url: kvdbUrl, passwordFile: kvdbPasswordFile }, io);
    await createServer(directory, {
      name: input.name,
      cluster: input.cluster,
      environment: input.mode,
      host: input.host,
      httpPort: input.httpPort,
      adminPort: input.adminPort,
      workers: input.workers,
      odb,
      kvdb,
      agentUrl: input.agentUrl,
      clusterKey: (await loadText(resolve(io.cwd, input.clusterKey))).trim(),
      tls,
    });
    io.stdout.write(`Server "${input.name}" is in ${directory}\n`);
    io.stderr.write(`Start it with: dragoman start ${directory}\n`);
  },
});

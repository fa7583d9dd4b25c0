import { resolve } from "node:path";
import { defaultPorts } from "../../../config/schemas.ts";
import { PlatformError } from "../../../errors/platform-error.ts";
import { defineCommand } from "../../command.ts";
import { createConsole } from "../../creation/create-console.ts";
import { hostOption, modeOption, portOption } from "../../creation/options.ts";
import { readTlsSource, tlsOptions } from "../../creation/tls-source.ts";

export const command = defineCommand({
  path: "create web-admin",
  summary: "Create the directory of a web admin; users are added with create user",
  arguments: { directory: { summary: "A new or an empty directory" } },
  options: {
    name: { type: "text", value: "NAME", default: "web-admin", summary: "Its name" },
    cluster: { type: "text", value: "NAME", required: true, summary: "The cluster it shows" },
    adminUrl: {
      type: "list",
      value: "URL",
      summary: "Admin API of a server, https://HOST:PORT; at least one",
    },
    agentUrl: { type: "text", value: "URL", summary: "The load balancer's agent" },
    host: hostOption,
    httpPort: portOption("For browsers", defaultPorts.webAdmin),
    behindTls: { type: "flag", summary: "TLS ends in front of it, so cookies are Secure" },
    mode: modeOption,
    ...tlsOptions,
  },
  examples: [
    "dragoman create web-admin ./web-admin --cluster prod " +
    "--admin-url https://127.0.0.1:17110 --ca ./ca",
  ],
  async run(input, io) {
    const { name, cluster, adminUrl: adminUrls, agentUrl, behindTls, mode: environment } = input;
    if (adminUrls.length === 0) {
      const reason = "Give --admin-url at least once";
      throw new PlatformError("CLI_USAGE", { reason, command: "create web-admin" });
    }
    const directory = resolve(io.cwd, input.directory);
    const tls = await readTlsSource(input, { command: "create web-admin", io });
    const agent = agentUrl === undefined ? {} : { agentUrl };
    await createConsole(directory, {
      name,
      http: { host: input.host, port: input.httpPort },
      clusters: [{ name: cluster, environment, adminUrls, ...agent }],
      behindTls,
      tls,
    });
    io.stdout.write(`Web admin "${name}" is in ${directory}\n`);
    io.stderr.write(`Add a user with: dragoman create user ${directory} --username admin\n`);
  },
});

import { resolve } from "node:path";
import { defaultPorts } from "../../../config/schemas.ts";
import { generateToken } from "../../../lib/random-secret.ts";
import { defineCommand } from "../../command.ts";
import { refuseUsedDirectory } from "../../creation/directory.ts";
import { hostOption, portOption } from "../../creation/options.ts";
import { loadPassword, passwordFileOption } from "../../creation/passwords.ts";

export const command = defineCommand({
  path: "create kvdb",
  summary: "Create the directory of a KVDB that Dragoman runs itself",
  description: "Not needed where a Redis or Valkey runs already.",
  arguments: { directory: { summary: "A new or an empty directory" } },
  options: {
    name: { type: "text", value: "NAME", default: "kvdb", summary: "Its name" },
    engine: {
      type: "choice",
      choices: ["auto", "embedded", "redis"],
      default: "auto",
      summary: "What runs; auto takes redis-server or valkey-server when one is installed",
    },
    host: hostOption,
    port: portOption("Where it listens", defaultPorts.kvdb),
    passwordFile: passwordFileOption("the KVDB (default: a new one is made)"),
  },
  examples: ["dragoman create kvdb ./kvdb", "dragoman create kvdb ./kvdb --engine embedded"],
  async run({ directory: named, name, engine, host, port, passwordFile }, io) {
    const directory = resolve(io.cwd, named);
    await refuseUsedDirectory(directory);
    const password = await loadPassword(passwordFile, io) ?? generateToken();
    const { createKvdb } = await import("../../../kvdb/create.ts");
    await createKvdb(directory, { name, engine, host, port, password });
    io.stdout.write(`KVDB "${name}" is in ${directory}, its password in secrets/kvdb-password\n`);
    io.stderr.write(`Start it with: dragoman start ${directory}\n`);
  },
});

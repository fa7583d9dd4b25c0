import { resolve } from "node:path";
import { defineCommand } from "../../command.ts";
import { createCluster } from "../../creation/create-cluster.ts";
import { odbPasswordOption, readOdbAccess } from "../../creation/odb-access.ts";

export const command = defineCommand({
  path: "create cluster",
  summary: "Add a cluster to the ODB and write its key to a file",
  description:
    "Every server of the cluster needs the key; it encrypts the secrets in the ODB and " +
    "is stored nowhere else. Keep a copy in a safe place.",
  arguments: { name: { summary: "Letters, digits and dashes" } },
  options: {
    odbUrl: { type: "text", value: "URL", required: true, summary: "The ODB" },
    odbPasswordFile: odbPasswordOption,
    clusterKey: {
      type: "text",
      value: "FILE",
      required: true,
      summary: "Where the new key is written; an existing file is not overwritten",
    },
  },
  examples: [
    "dragoman create cluster prod --odb-url sqlite:///srv/dragoman/odb.db --cluster-key ./prod.key",
  ],
  async run({ name, odbUrl, odbPasswordFile, clusterKey }, io) {
    const access = await readOdbAccess({ url: odbUrl, passwordFile: odbPasswordFile }, io);
    const keyFile = resolve(io.cwd, clusterKey);
    await createCluster(access, { name, keyFile });
    io.stdout.write(`Cluster "${name}" is in the ODB; its key is in ${keyFile}\n`);
  },
});

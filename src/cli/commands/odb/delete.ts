import { basename } from "node:path";
import { defineCommand, yesOption } from "../../command.ts";
import { confirm } from "../../confirm.ts";
import { odbPasswordOption, readOdbAccess, withOdb } from "../../creation/odb-access.ts";

export const command = defineCommand({
  path: "delete odb",
  summary: "Drop every table of the ODB, with everything in them",
  description: "The database itself, and tables that are not Dragoman's, are left alone.",
  arguments: { url: { summary: "The ODB's URL" } },
  options: { odbPasswordFile: odbPasswordOption, yes: yesOption },
  examples: ["dragoman delete odb sqlite:///srv/dragoman/odb.db"],
  async run({ url, odbPasswordFile, yes }, io) {
    const access = await readOdbAccess({ url, passwordFile: odbPasswordFile }, io);
    await withOdb(access, async (odb) => {
      const clusters = await odb.listClusters();
      const names = clusters.map(({ name }) => name).join(", ") || "none";
      await confirm(io, {
        what: `Drop every table of the ODB at ${odb.address} (clusters: ${names})`,
        answer: basename(odb.address),
        yes,
      });
      await odb.drop();
      io.stdout.write(`The ODB at ${odb.address} has no tables of ours any more\n`);
    });
  },
});

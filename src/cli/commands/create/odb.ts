import { defineCommand, outputOption } from "../../command.ts";
import { createOdb, odbPasswordOption, readOdbAccess } from "../../creation/odb-access.ts";
import { printResult } from "../../output.ts";

export const command = defineCommand({
  path: "create odb",
  summary: "Create the tables of the ODB, or bring them up to this version",
  description: "The database itself must exist; a SQLite file is made.",
  arguments: {
    url: { summary: "sqlite:///PATH, postgresql://USER@HOST:PORT/DB or mysql://USER@HOST:PORT/DB" },
  },
  options: { odbPasswordFile: odbPasswordOption, output: outputOption },
  examples: [
    "dragoman create odb sqlite:///srv/dragoman/odb.db",
    "dragoman create odb postgresql://dragoman@db:5432/odb --odb-password-file ./odb-password",
  ],
  async run({ url, odbPasswordFile, output }, io) {
    const access = await readOdbAccess({ url, passwordFile: odbPasswordFile }, io);
    const value = await createOdb(access);
    const table = value.from === value.to
      ? `The ODB at ${value.address} is up to date (schema version ${value.to})`
      : `The ODB at ${value.address} has schema version ${value.to} now, it had ${value.from}`;
    await printResult(io.stdout, output, { value, table });
  },
});

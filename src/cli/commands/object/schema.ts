import { kindOf } from "../../../admin-api/object-changes.ts";
import { kinds } from "../../../connectors/registry.ts";
import { defineCommand } from "../../command.ts";
import { kindSchema, objectSchema } from "../../objects/document-schema.ts";

export const command = defineCommand({
  path: "schema",
  summary: "Print the JSON Schema of the documents that apply takes, for editors and checks",
  description: "Of any kind, or of one. Editors with the YAML language server use it through a " +
    "first line such as: # yaml-language-server: $schema=./dragoman.schema.json",
  arguments: { kind: { summary: "Such as RestChannel", optional: true } },
  options: {},
  examples: ["dragoman schema > dragoman.schema.json", "dragoman schema RestChannel"],
  async run({ kind: name }, io) {
    const schema = name === undefined ? objectSchema() : kindSchema(kindOf(kinds, name));
    io.stdout.write(JSON.stringify(schema, null, 2) + "\n");
  },
});

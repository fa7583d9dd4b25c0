import { kinds } from "../../../connectors/registry.ts";
import { PlatformError } from "../../../errors/platform-error.ts";
import { nearestName } from "../../../lib/nearest-name.ts";
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
    const kind = name === undefined ? undefined : kinds.get(name);
    if (name !== undefined && kind === undefined) {
      const near = nearestName(name, kinds.keys());
      throw new PlatformError("CATALOG_UNKNOWN_KIND", {
        kind: name,
        hint: near === undefined ? "" : `, did you mean "${near}"?`,
        kinds: [...kinds.keys()].join(", "),
      });
    }
    const schema = kind === undefined ? objectSchema() : kindSchema(kind);
    io.stdout.write(JSON.stringify(schema, null, 2) + "\n");
  },
});

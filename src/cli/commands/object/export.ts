import { mkdir } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { KindList, ObjectView } from "../../../admin-api/api.ts";
import { writeFileAtomic } from "../../../lib/atomic-file.ts";
import type { JsonClient } from "../../../mtls/client.ts";
import { loadEnvironment, withAdmin } from "../../cluster/environment.ts";
import { defineCommand, environmentOption } from "../../command.ts";
import {
  exportDocuments,
  type ExportedDocument,
  renderDocument,
} from "../../objects/exported-document.ts";

export const command = defineCommand({
  path: "export",
  summary: "Write objects as files that apply takes",
  description: "One document an object; a directory gets one file an object, KIND/NAME.yaml. " +
    "Secrets are written as references such as ${env:API_KEY_CRM_KEY}, never by value; the names " +
    "of the variables are listed at the end.",
  arguments: {
    kind: { summary: "Such as RestChannel", optional: true },
    name: { summary: "The object's name", optional: true },
  },
  options: {
    output: {
      type: "text",
      short: "o",
      value: "DIR",
      default: "-",
      summary: "The directory, or - for standard output",
    },
    defaults: { type: "flag", summary: "Also write fields that are at their default" },
    env: environmentOption,
  },
  examples: [
    "dragoman export --output objects --env ./demo",
    "dragoman export RestChannel demo.hello",
  ],
  async run({ kind, name, output, defaults, env }, io) {
    const environment = await loadEnvironment({ env }, io);
    const documents = await withAdmin(environment, async (client) => {
      const { kinds } = await client.get<KindList>("/v1/kinds");
      return exportDocuments(await loadObjects(client, kind, name), kinds, { defaults });
    });
    if (output === "-") {
      io.stdout.write((await Promise.all(documents.map(renderDocument))).join("---\n"));
    } else {
      const directory = resolve(io.cwd, output);
      for (const document of documents) await writeDocument(directory, document);
      io.stdout.write(`Wrote ${documents.length} objects to ${directory}\n`);
    }
    const variables = documents.flatMap((document) => document.variables);
    if (variables.length > 0) {
      io.stderr.write(`Before you apply them elsewhere, set ${variables.join(", ")}\n`);
    }
  },
});

async function loadObjects(
  client: JsonClient,
  kind: string | undefined,
  name: string | undefined,
): Promise<readonly ObjectView[]> {
  if (kind === undefined) return await client.get("/v1/objects");
  const encoded = encodeURIComponent(kind);
  if (name === undefined) return await client.get(`/v1/objects?kind=${encoded}`);
  return [await client.get(`/v1/objects/${encoded}/${encodeURIComponent(name)}`)];
}

async function writeDocument(directory: string, exported: ExportedDocument): Promise<void> {
  const { kind, name } = exported.document;
  // Names may have slashes in them.
  const file = join(directory, kind, `${encodeURIComponent(name)}.yaml`);
  await mkdir(dirname(file), { recursive: true });
  await writeFileAtomic(file, await renderDocument(exported), { mode: 0o644 });
}

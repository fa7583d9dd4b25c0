import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { KindList, ObjectView, ServiceView } from "../../../admin-api/api.ts";
import { writeFileAtomic } from "../../../lib/atomic-file.ts";
import type { JsonClient } from "../../../mtls/client.ts";
import { renderDeclarations } from "./declarations.ts";

/** Where a project has its declarations. */
export const declarationsName = "dragoman.d.ts";

/** The declarations for what exists in a cluster now. */
export async function loadDeclarations(client: JsonClient): Promise<string> {
  const [services, objects, { kinds }] = await Promise.all([
    client.get<readonly ServiceView[]>("/v1/services"),
    client.get<readonly ObjectView[]>("/v1/objects"),
    client.get<KindList>("/v1/kinds"),
  ]);
  return renderDeclarations({ services, objects, kinds });
}

/** Brings a project's declarations up to date when it has any; says whether they changed. */
export async function refreshDeclarations(
  client: JsonClient,
  directory: string,
): Promise<boolean> {
  const file = join(directory, declarationsName);
  const present = await readFile(file, "utf8").catch(() => undefined);
  if (present === undefined) return false;
  const text = await loadDeclarations(client);
  if (text === present) return false;
  await writeFileAtomic(file, text, { mode: 0o644 });
  return true;
}

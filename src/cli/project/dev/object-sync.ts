import { readFile } from "node:fs/promises";
import type { ApplyChange } from "../../../admin-api/api.ts";
import type { JsonClient } from "../../../mtls/client.ts";
import type { ObjectKey } from "../../../odb/types.ts";
import { type LoadedDocument, parseDocuments } from "../../objects/documents.ts";
import { sendDocuments } from "../../objects/send-documents.ts";

/** Keeps a project's objects in the cluster as its files say. */
export class ObjectSync {
  readonly #env: Readonly<Record<string, string | undefined>>;
  /** What this run has applied, so that what the files no longer name can be taken away again. */
  #applied: readonly ObjectKey[] = [];

  constructor(env: Readonly<Record<string, string | undefined>>) {
    this.#env = env;
  }

  /** Applies the files, and deletes what an earlier call had applied and no file names any more. */
  async apply(client: JsonClient, files: readonly string[]): Promise<readonly ApplyChange[]> {
    const documents = await load(files);
    const named = documents.map(({ document: { kind, name } }) => ({ kind, name }));
    const deletions = this.#applied.filter((key) => !named.some((other) => isSame(key, other)));
    if (named.length + deletions.length === 0) return [];
    const { result } = await sendDocuments(client, documents, {
      mode: "apply",
      deletions,
      env: this.#env,
    });
    this.#applied = named;
    return result.changes.filter(({ action }) => action !== "unchanged");
  }

  /**
   * Takes away objects that still use a service which is to go, when the files have them no longer,
   * or no longer with that service. Says whether it took them all away.
   */
  async release(
    client: JsonClient,
    files: readonly string[],
    uses: readonly { readonly user: ObjectKey; readonly used: ObjectKey }[],
  ): Promise<boolean> {
    const documents = await load(files);
    const isStale = ({ user, used }: (typeof uses)[number]) => {
      const found = documents.find(({ document }) => isSame(document, user));
      const spec = JSON.stringify(found?.document.spec ?? {});
      return this.#applied.some((key) => isSame(key, user)) &&
        !spec.includes(JSON.stringify(used.name));
    };
    if (uses.length === 0 || !uses.every(isStale)) return false;
    const users = new Map(uses.map(({ user }) => [`${user.kind}/${user.name}`, user]));
    await client.post("/v1/apply", { objects: [], delete: [...users.values()] });
    return true;
  }
}

async function load(files: readonly string[]): Promise<readonly LoadedDocument[]> {
  const texts = await Promise.all(
    files.map(async (file) => ({ file, text: await readFile(file, "utf8").catch(() => "") })),
  );
  // A file that is still empty is one that is being written.
  return parseDocuments(texts.filter(({ text }) => text.replace(/^\s*#.*$/gm, "").trim() !== ""));
}

function isSame(a: ObjectKey, b: ObjectKey): boolean {
  return a.kind === b.kind && a.name === b.name;
}

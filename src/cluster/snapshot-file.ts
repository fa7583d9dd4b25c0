import { readFile } from "node:fs/promises";
import { writeFileAtomic } from "../lib/atomic-file.ts";
import { sha256Hex } from "../lib/canonical-json.ts";
import type { ClusterSnapshot } from "../odb/types.ts";
import type { Logger } from "../telemetry/logger.ts";

/**
 * The last desired state that a server really ran, kept on its disk so that it can start when the
 * ODB is gone. Secrets in it are sealed, as in the ODB. First line: SHA-256 of all that follows.
 */
export class SnapshotFile {
  readonly #path: string;
  readonly #logger: Logger;

  constructor(path: string, logger: Logger) {
    this.#path = path;
    this.#logger = logger;
  }

  /** Undefined when there is none, or when what is there is damaged (which is logged). */
  async load(): Promise<ClusterSnapshot | undefined> {
    const text = await readFile(this.#path, "utf8").catch(() => undefined);
    if (text === undefined) return undefined;
    const end = text.indexOf("\n");
    const body = text.slice(end + 1);
    if (end < 0 || sha256Hex(body) !== text.slice(0, end)) {
      this.#logger.error("Saved state is damaged and will not be used", { file: this.#path });
      return undefined;
    }
    return JSON.parse(body); // the checksum proves that it is what save() wrote
  }

  async save(snapshot: ClusterSnapshot): Promise<void> {
    const body = JSON.stringify(snapshot);
    await writeFileAtomic(this.#path, `${sha256Hex(body)}\n${body}`);
  }
}

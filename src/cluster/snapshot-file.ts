import { readFile } from "node:fs/promises";
import { PlatformError } from "../errors/platform-error.ts";
import { writeFileAtomic } from "../lib/atomic-file.ts";
import { sha256Hex } from "../lib/canonical-json.ts";
import type { ClusterSnapshot } from "../odb/types.ts";

const lineEnd = 0x0a;

/**
 * The last desired state that a server really ran, kept on its disk so that it can start when the
 * ODB is gone. Secrets in it are sealed, as in the ODB. First line: SHA-256 of all that follows.
 */
export class SnapshotFile {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** Undefined when there is none. Throws SERVER_STATE_DAMAGED when it is not what was saved. */
  async load(): Promise<ClusterSnapshot | undefined> {
    const file = await readFile(this.#path).catch(() => undefined);
    if (file === undefined) return undefined;
    const end = file.indexOf(lineEnd);
    const body = file.subarray(end + 1);
    if (end < 0 || !file.subarray(0, end).equals(Buffer.from(sha256Hex(body)))) {
      throw new PlatformError("SERVER_STATE_DAMAGED", { file: this.#path });
    }
    return JSON.parse(body.toString()); // the checksum proves that it is what save() wrote
  }

  async save(snapshot: ClusterSnapshot): Promise<void> {
    const body = JSON.stringify(snapshot);
    await writeFileAtomic(this.#path, `${sha256Hex(body)}\n${body}`);
  }
}

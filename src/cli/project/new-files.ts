import { mkdir, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { PlatformError } from "../../errors/platform-error.ts";

/** A file that is to be made. */
export interface NewFile {
  /** Relative to the directory. */
  readonly path: string;
  readonly text: string;
  /** Readable by its owner alone. */
  readonly isSecret?: true;
}

/** Writes files, all or, when one of them exists already, none. Throws CLI_FILE_EXISTS. */
export async function writeNewFiles(directory: string, files: readonly NewFile[]): Promise<void> {
  for (const { path } of files) {
    const file = join(directory, path);
    if (await stat(file).then(() => true, () => false)) {
      throw new PlatformError("CLI_FILE_EXISTS", { file });
    }
  }
  for (const { path, text, isSecret } of files) {
    const file = join(directory, path);
    await mkdir(dirname(file), { recursive: true });
    // Another process may have made it by now.
    await writeFile(file, text, { flag: "wx", mode: isSecret === true ? 0o600 : 0o644 });
  }
}

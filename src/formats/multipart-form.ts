import type { FileHandle } from "node:fs/promises";
import { PlatformError } from "../errors/platform-error.ts";
import type { FieldReader, FieldValue } from "./form-fields.ts";
import type { MediaType } from "./media-type.ts";
import { type PartHead, type PartSink, readMultipart } from "./multipart.ts";
import { refusePrototypeKeys } from "./prototype-keys.ts";
import { openNamelessFile, SpooledFile } from "./spooled-file.ts";

const partsMax = 1_000;
/** Texts of all fields together. */
const textBytesMax = 1_048_576;
/** Files of one form that stay in memory; what goes beyond is on disk. */
const memoryBytesMax = 1_048_576;

/** A form whose files may be on disk until it is closed. */
export interface MultipartForm {
  readonly fields: Record<string, unknown>;
  /** Gives the files' space back. Undefined when none is on disk. */
  readonly close: (() => Promise<void>) | undefined;
}

/**
 * Reads a multipart/form-data body while it arrives. Files are `File`s; from 1 MB in all on they
 * are kept on disk. Rejects with REQUEST_MALFORMED, and with what `source` rejects with.
 */
export async function readMultipartForm(
  source: AsyncIterable<Uint8Array>,
  { parameters }: MediaType,
  reader: FieldReader,
): Promise<MultipartForm> {
  const parts = new Parts();
  try {
    await readMultipart(source, parameters.get("boundary") ?? "", (head) => parts.open(head));
    const fields = reader.read(parts.fields);
    refusePrototypeKeys(fields);
    return { fields, close: parts.handles.length === 0 ? undefined : () => parts.close() };
  } catch (error) {
    await parts.close();
    throw error;
  }
}

class Parts {
  readonly fields: (readonly [string, FieldValue])[] = [];
  readonly handles: FileHandle[] = [];
  #count = 0;
  #textBytes = 0;
  #memoryBytes = 0;

  open(head: PartHead): PartSink {
    if (++this.#count > partsMax) throw malformed(`The form has over ${partsMax} parts`);
    return head.fileName === undefined ? this.#text(head) : this.#file(head, head.fileName);
  }

  async close(): Promise<void> {
    for (const handle of this.handles.splice(0)) await handle.close();
  }

  #text({ name }: PartHead): PartSink {
    const chunks: Uint8Array[] = [];
    return {
      write: (chunk) => {
        this.#textBytes += chunk.length;
        if (this.#textBytes > textBytesMax) {
          throw malformed(`The texts of the form are longer than ${textBytesMax} bytes`);
        }
        chunks.push(Uint8Array.from(chunk));
      },
      end: () => {
        this.fields.push([name, decode(Buffer.concat(chunks))]);
      },
    };
  }

  #file({ name, type }: PartHead, fileName: string): PartSink {
    const chunks: Uint8Array<ArrayBuffer>[] = [];
    let handle: FileHandle | undefined;
    let size = 0;
    return {
      write: async (chunk) => {
        size += chunk.length;
        if (handle === undefined && this.#memoryBytes + chunk.length <= memoryBytesMax) {
          this.#memoryBytes += chunk.length;
          chunks.push(Uint8Array.from(chunk));
          return;
        }
        if (handle === undefined) {
          handle = await this.#openHandle();
          for (const kept of chunks.splice(0)) {
            this.#memoryBytes -= kept.length;
            await writeAll(handle, kept);
          }
        }
        await writeAll(handle, chunk);
      },
      end: () => {
        // What browsers send for a file input in which nothing was chosen.
        if (fileName === "" && size === 0) return;
        const facts = { name: baseName(fileName), type };
        const file = handle === undefined
          ? new File(chunks, facts.name, facts)
          : new SpooledFile(handle, { start: 0, size }, facts);
        this.fields.push([name, file]);
      },
    };
  }

  async #openHandle(): Promise<FileHandle> {
    const handle = await openNamelessFile();
    this.handles.push(handle);
    return handle;
  }
}

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  let offset = 0;
  while (offset < bytes.length) {
    const { bytesWritten } = await handle.write(bytes, offset, bytes.length - offset);
    offset += bytesWritten;
  }
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

function decode(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw malformed("A text of the form is not UTF-8"); // the decoder says no more than that
  }
}

/** Some clients send whole paths. */
function baseName(name: string): string {
  return name.slice(Math.max(name.lastIndexOf("/"), name.lastIndexOf("\\")) + 1);
}

function malformed(reason: string): PlatformError {
  return new PlatformError("REQUEST_MALFORMED", { reason });
}

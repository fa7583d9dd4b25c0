import { randomUUID } from "node:crypto";
import { type FileHandle, open, unlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const chunkBytes = 65_536;

/** Opens a file in the system's temporary directory that no longer has a name. */
export async function openNamelessFile(): Promise<FileHandle> {
  const path = join(tmpdir(), `dragoman-upload-${randomUUID()}`);
  const handle = await open(path, "wx+", 0o600);
  // Unlinked at once: its space is free when it is closed, even if this process is killed.
  await unlink(path);
  return handle;
}

interface Place {
  readonly start: number;
  readonly size: number;
}

/** An uploaded file whose bytes are on disk. Readable for as long as its handle is open. */
export class SpooledFile extends File {
  readonly #handle: FileHandle;
  readonly #start: number;
  readonly #size: number;

  constructor(
    handle: FileHandle,
    { start, size }: Place,
    { name, type }: { readonly name: string; readonly type: string },
  ) {
    super([], name, { type });
    this.#handle = handle;
    this.#start = start;
    this.#size = size;
  }

  override get size(): number {
    return this.#size;
  }

  override stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
    const end = this.#start + this.#size;
    let position = this.#start;
    return new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull: async (controller) => {
        const length = Math.min(chunkBytes, end - position);
        const { bytesRead, buffer } = length === 0
          ? { bytesRead: 0, buffer: new Uint8Array() }
          : await this.#handle.read(new Uint8Array(length), 0, length, position);
        position += bytesRead;
        if (bytesRead > 0) controller.enqueue(buffer.subarray(0, bytesRead));
        else controller.close();
      },
    }, { highWaterMark: 0 });
  }

  override async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(this.#size);
    let offset = 0;
    for await (const chunk of this.stream()) {
      bytes.set(chunk, offset);
      offset += chunk.length;
    }
    return bytes;
  }

  override async arrayBuffer(): Promise<ArrayBuffer> {
    return (await this.bytes()).buffer;
  }

  override async text(): Promise<string> {
    return new TextDecoder().decode(await this.bytes());
  }

  override slice(start = 0, end = this.#size, type = ""): Blob {
    const from = clamp(start, this.#size);
    const size = Math.max(0, clamp(end, this.#size) - from);
    const place = { start: this.#start + from, size };
    return new SpooledFile(this.#handle, place, { name: this.name, type });
  }
}

/** As `Blob.slice` counts: negative from the end. */
function clamp(offset: number, size: number): number {
  return offset < 0 ? Math.max(0, size + offset) : Math.min(offset, size);
}

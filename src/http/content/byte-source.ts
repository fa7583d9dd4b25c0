import { randomBytes } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import type { ByteRange } from "./range.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Bytes of known number that can be read from any place. */
export interface ByteSource {
  readonly sizeBytes: number;
  /** What comes from `range`. May be called once for each range, one after the other. */
  read(range: ByteRange): AsyncIterable<Bytes>;
  /** Idempotent. */
  close(): Promise<void>;
}

const chunkBytes = 65_536;

/** A file that was found. */
export interface FileSource extends ByteSource {
  readonly modifiedAt: Date;
  /** Changes with every change of the file. */
  readonly etag: string;
}

/** Opens a plain file; undefined when there is none at `path`. Whoever opens must close. */
export async function openFileSource(path: string): Promise<FileSource | undefined> {
  let handle: FileHandle;
  try {
    handle = await open(path, "r");
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  const stat = await handle.stat();
  let isOpen = true;
  const close = async () => {
    if (!isOpen) return;
    isOpen = false;
    await handle.close();
  };
  if (!stat.isFile()) {
    await close();
    return undefined;
  }
  return {
    sizeBytes: stat.size,
    modifiedAt: stat.mtime,
    etag: `"${stat.size.toString(16)}-${Math.round(stat.mtimeMs * 1_000).toString(16)}"`,
    read: (range) => readHandle(handle, range),
    close,
  };
}

const missing = new Set(["ENOENT", "ENOTDIR", "ELOOP", "ENAMETOOLONG", "EISDIR"]);

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && missing.has(String(error.code));
}

async function* readHandle(
  handle: FileHandle,
  { start, end }: ByteRange,
): AsyncGenerator<Bytes> {
  for (let position = start; position < end;) {
    const length = Math.min(chunkBytes, end - position);
    const { bytesRead, buffer } = await handle.read(new Uint8Array(length), 0, length, position);
    // The length is promised already: a file that shrinks must break the answer off.
    if (bytesRead === 0) throw new Error("The file became shorter while it was sent");
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

/** A Blob, such as an uploaded file. */
export function blobSource(blob: Blob): ByteSource {
  return {
    sizeBytes: blob.size,
    read: ({ start, end }) => blob.slice(start, end).stream(),
    close: () => Promise.resolve(),
  };
}

/** Several ranges in one body, RFC 9110, 14.6. */
export function multipartRanges(
  source: ByteSource,
  ranges: readonly ByteRange[],
  type: string,
): {
  readonly contentType: string;
  readonly sizeBytes: number;
  readonly body: AsyncIterable<Bytes>;
} {
  const boundary = randomBytes(12).toString("hex");
  const heads = ranges.map(({ start, end }) =>
    encoder.encode(
      `\r\n--${boundary}\r\nContent-Type: ${type}\r\n` +
        `Content-Range: bytes ${start}-${end - 1}/${source.sizeBytes}\r\n\r\n`,
    )
  );
  const tail = encoder.encode(`\r\n--${boundary}--\r\n`);
  async function* body(): AsyncGenerator<Bytes> {
    for (const [index, range] of ranges.entries()) {
      yield heads[index]!;
      yield* source.read(range);
    }
    yield tail;
  }
  const sizeBytes = heads.reduce((sum, head) => sum + head.length, tail.length) +
    ranges.reduce((sum, { start, end }) => sum + end - start, 0);
  return { contentType: `multipart/byteranges; boundary=${boundary}`, sizeBytes, body: body() };
}

const encoder = new TextEncoder();

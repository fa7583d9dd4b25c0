import { PlatformError } from "../errors/platform-error.ts";

/** What one part of a multipart body says of itself. */
export interface PartHead {
  readonly name: string;
  /** Undefined for a part that is no file. */
  readonly fileName: string | undefined;
  /** Empty when it says none. */
  readonly type: string;
}

/** Where the bytes of one part go. */
export interface PartSink {
  write(chunk: Uint8Array): void | Promise<void>;
  end(): void | Promise<void>;
}

const headBytesMax = 16_384;
const preambleBytesMax = 1_024;

/**
 * Takes a multipart/form-data body (RFC 7578) apart while it arrives; holds no more of it than one
 * chunk. Rejects with REQUEST_MALFORMED, and with what `open`, the sinks and `source` reject with.
 */
export async function readMultipart(
  source: AsyncIterable<Uint8Array>,
  boundary: string,
  open: (head: PartHead) => PartSink,
): Promise<void> {
  if (!/^[\w'()+,./:=? -]{1,70}$/.test(boundary)) {
    throw malformed("The Content-Type has no boundary, or one that is not allowed");
  }
  const reader = new PartReader(boundary, open);
  for await (const chunk of source) await reader.take(chunk);
  reader.end();
}

const lineBreak = Buffer.from("\r\n");
const blankLine = Buffer.from("\r\n\r\n");

/**
 * States: `preamble` until the first delimiter, `delimiter` right behind one, `head` until a blank
 * line, `data` until the next delimiter, `done` behind the last.
 */
class PartReader {
  readonly #delimiter: Buffer;
  readonly #open: (head: PartHead) => PartSink;
  #state: "preamble" | "delimiter" | "head" | "data" | "done" = "preamble";
  // The first delimiter stands at the very start, as if a line had ended before it.
  #rest: Buffer = lineBreak;
  #sink: PartSink | undefined;

  constructor(boundary: string, open: (head: PartHead) => PartSink) {
    this.#delimiter = Buffer.from(`\r\n--${boundary}`);
    this.#open = open;
  }

  async take(chunk: Uint8Array): Promise<void> {
    if (this.#state === "done") return;
    this.#rest = this.#rest.length === 0
      ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
      : Buffer.concat([this.#rest, chunk]);
    while (await this.#step());
  }

  end(): void {
    if (this.#state !== "done") throw malformed("The multipart body was cut off");
  }

  /** Goes on by one state; false when more bytes are needed. */
  #step(): boolean | Promise<boolean> {
    switch (this.#state) {
      case "preamble":
        return this.#skipPreamble();
      case "delimiter":
        return this.#readDelimiterEnd();
      case "head":
        return this.#readHead();
      case "data":
        return this.#readData();
      case "done":
        return false;
    }
  }

  #skipPreamble(): boolean {
    const index = this.#rest.indexOf(this.#delimiter);
    const before = index < 0 ? this.#rest.length - this.#delimiter.length : index;
    if (before > preambleBytesMax) {
      throw malformed("The multipart body does not begin with its boundary");
    }
    if (index < 0) return false;
    this.#skip(index + this.#delimiter.length, "delimiter");
    return true;
  }

  #readDelimiterEnd(): boolean {
    if (this.#rest.length < 2) return false;
    const end = this.#rest.toString("latin1", 0, 2);
    if (end === "--") this.#skip(this.#rest.length, "done");
    // The line break stays: a part without headers begins with a blank line.
    else if (end === "\r\n") this.#state = "head";
    else throw malformed("A boundary of the multipart body does not end its line");
    return true;
  }

  #readHead(): boolean {
    const end = this.#rest.indexOf(blankLine);
    if (end > headBytesMax || (end < 0 && this.#rest.length > headBytesMax)) {
      throw malformed("The headers of a part are too long");
    }
    if (end < 0) return false;
    const head = parseHead(this.#rest.toString("utf8", 0, end));
    this.#skip(end + blankLine.length, "data");
    // An empty part's delimiter begins with the line break that ended its head.
    this.#rest = Buffer.concat([lineBreak, this.#rest]);
    this.#sink = new LeadingBreak(this.#open(head));
    return true;
  }

  async #readData(): Promise<boolean> {
    const index = this.#rest.indexOf(this.#delimiter);
    const sink = this.#sink!; // opened with the head
    if (index >= 0) {
      await sink.write(this.#rest.subarray(0, index));
      await sink.end();
      this.#skip(index + this.#delimiter.length, "delimiter");
      return true;
    }
    // What could be the beginning of a delimiter waits for the next chunk.
    const sure = this.#rest.length - this.#delimiter.length;
    if (sure > 0) {
      await sink.write(this.#rest.subarray(0, sure));
      this.#skip(sure, "data");
    }
    return false;
  }

  #skip(length: number, state: "delimiter" | "head" | "data" | "done"): void {
    this.#rest = this.#rest.subarray(length);
    this.#state = state;
  }
}

/** Leaves out the line break that was put before a part's data. */
class LeadingBreak implements PartSink {
  readonly #sink: PartSink;
  #left = lineBreak.length;

  constructor(sink: PartSink) {
    this.#sink = sink;
  }

  write(chunk: Uint8Array): void | Promise<void> {
    const skipped = Math.min(this.#left, chunk.length);
    this.#left -= skipped;
    if (chunk.length > skipped) return this.#sink.write(chunk.subarray(skipped));
  }

  end(): void | Promise<void> {
    return this.#sink.end();
  }
}

function parseHead(text: string): PartHead {
  const headers = new Map<string, string>();
  for (const line of text.split("\r\n").slice(1)) {
    const [, name, value] = /^([\w-]+):[ \t]*([^\r\n\0]*)$/.exec(line) ?? [];
    if (name === undefined) throw malformed("A part has a line that is not a header");
    const key = name.toLowerCase();
    if (headers.has(key)) throw malformed(`A part has the header ${key} twice`);
    headers.set(key, value!.trim()); // the pattern has both groups
  }
  const encoding = headers.get("content-transfer-encoding")?.toLowerCase() ?? "binary";
  if (!["7bit", "8bit", "binary"].includes(encoding)) {
    throw malformed("A part has a transfer encoding, which forms do not have");
  }
  const disposition = headers.get("content-disposition") ?? "";
  const name = /^form-data\b/i.test(disposition) ? parameterOf(disposition, "name") : undefined;
  if (name === undefined) throw malformed("A part has no name");
  const fileName = parameterOf(disposition, "filename");
  return { name, fileName, type: headers.get("content-type") ?? "" };
}

function parameterOf(disposition: string, name: string): string | undefined {
  const pattern = new RegExp(`;[ \\t]*${name}=(?:"((?:[^"\\\\]|\\\\.)*)"|([^;"\\s]+))`, "i");
  const [, quoted, plain] = pattern.exec(disposition) ?? [];
  // Browsers escape three characters, by percent signs; others use backslashes.
  const text = quoted?.replaceAll(/\\(["\\])/g, "$1") ?? plain;
  return text?.replaceAll(/%(22|0D|0A)/gi, (escape) => decodeURIComponent(escape));
}

function malformed(reason: string): PlatformError {
  return new PlatformError("REQUEST_MALFORMED", { reason });
}

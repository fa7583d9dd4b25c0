import { PlatformError } from "../../errors/platform-error.ts";
import type { FieldReader } from "../../formats/form-fields.ts";
import type { Format, FormatReader } from "../../formats/format.ts";
import { readJson } from "../../formats/json.ts";
import { jsonType, type MediaType, parseMediaType } from "../../formats/media-type.ts";
import { readMultipartForm } from "../../formats/multipart-form.ts";
import {
  bodyFailure,
  type IncomingBody,
  incomingBody,
  readBytes,
  readStream,
} from "../../http/body.ts";
import { toByteStream } from "../../http/content/byte-stream.ts";
import type { Exchange } from "../../http/exchange.ts";

/** One format that a channel takes, prepared for its service. */
export interface TakenFormat {
  readonly format: Format;
  readonly read: FormatReader;
}

export interface BodyReaderOptions {
  readonly formats: readonly TakenFormat[];
  /** Reads multipart forms; undefined where the channel takes no forms. */
  readonly fields: FieldReader | undefined;
}

/** Reads the bodies of one channel. */
export class BodyReader {
  readonly #formats: readonly TakenFormat[];
  readonly #fields: FieldReader | undefined;
  readonly #takesJson: boolean;

  constructor({ formats, fields }: BodyReaderOptions) {
    this.#formats = formats;
    this.#fields = fields;
    this.#takesJson = formats.some(({ format }) => format.name === "json");
  }

  /**
   * The value in a body. Throws REQUEST_BODY_SIZE and REQUEST_CONTENT_ENCODING; rejects with these,
   * REQUEST_CONTENT_TYPE, REQUEST_MALFORMED, and what reading rejects with.
   */
  read(exchange: Exchange, announced: number | undefined): Promise<unknown> {
    const { web, headers, route } = exchange;
    const incoming = incomingBody(web, announced, route!.bodyBytesMax); // reached by a route
    const header = headers.get("content-type");
    // Most requests are here, and wait for one promise: the engine's own.
    return header === jsonType.essence && this.#takesJson && !route!.keepsBody &&
        announced !== undefined && !incoming.isCompressed && exchange.once === undefined
      ? readJson(web, announced)
      : this.#receive(exchange, incoming, header);
  }

  async #receive(
    exchange: Exchange,
    incoming: IncomingBody,
    header: string | null,
  ): Promise<unknown> {
    const type = parseMediaType(header);
    if (type.essence === "multipart/form-data" && this.#fields !== undefined) {
      return await this.#receiveMultipart(exchange, incoming, type);
    }
    const taken = this.#formats.find(({ format }) => format.takes(type.essence));
    if (taken === undefined) throw new PlatformError("REQUEST_CONTENT_TYPE");
    const bytes = await readBytes(incoming);
    if (exchange.route!.keepsBody) exchange.body = bytes; // reached by a route
    exchange.once?.compare(bytes);
    return taken.read(bytes, type);
  }

  async #receiveMultipart(
    exchange: Exchange,
    incoming: IncomingBody,
    type: MediaType,
  ): Promise<unknown> {
    // Who signs bodies needs all of them; uploads that are checked so must fit into memory.
    const bytes = exchange.route!.keepsBody ? await readBytes(incoming) : undefined;
    exchange.body = bytes;
    const source = bytes === undefined ? readStream(incoming) : once(bytes);
    const form = await readMultipartForm(source, type, this.#fields!); // asked for by the caller
    exchange.releaseUploads = form.close;
    return form.fields;
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/**
 * Gives the service the body as a stream, unread. Its limits hold while it flows: beyond them it
 * fails, and so does the request. Throws REQUEST_BODY_SIZE and REQUEST_CONTENT_ENCODING.
 */
export function streamBody(exchange: Exchange, announced: number | undefined): void {
  const { web, route } = exchange;
  const incoming = incomingBody(web, announced, route!.bodyBytesMax); // reached by a route
  exchange.bodyStream = toByteStream(watched(exchange, incoming));
}

async function* watched(exchange: Exchange, incoming: IncomingBody): AsyncGenerator<Uint8Array> {
  try {
    yield* readStream(incoming);
  } catch (error) {
    exchange.bodyFailure = bodyFailure(error);
    throw exchange.bodyFailure;
  }
}

import { Readable } from "node:stream";
import {
  type ErrorParams,
  PlatformError,
  type PlatformErrorOptions,
} from "../../errors/platform-error.ts";
import { decodedBody, readReply } from "../../http/client/reply-body.ts";
import type { HttpReply } from "../../http/client/transport.ts";
import type { RestOptions, RestReply } from "../../service/outgoing/rest-client.ts";
import { describeIssues } from "../../service/schema.ts";

/** How much of an error's body is kept for whoever looks at the error. */
const excerptChars = 2_000;
const errorBytesMax = 65_536;

/** Who reads an answer, and what for. */
export interface ReplyContext<T> {
  readonly name: string;
  readonly method: string;
  /** The path as the service wrote it, without values. */
  readonly path: string;
  readonly options: RestOptions<T>;
  readonly responseBytesMax: number;
}

/**
 * Makes of an answer what the service asked for. Rejects with OUTGOING_STATUS,
 * OUTGOING_REPLY_INVALID and OUTGOING_REPLY_SIZE, and with a TransportFailure when it breaks off.
 */
export async function takeReply<T>(
  reply: HttpReply,
  context: ReplyContext<T>,
): Promise<RestReply<T>> {
  const { status, headers } = reply;
  const { options: { accept = [], schema, as }, method } = context;
  const isAccepted = status < 400 || accept.includes(status);
  if (!isAccepted) throw await statusError(reply, context);
  if (as === "stream") {
    // Without a schema, T is what the caller says it is: here a stream.
    return { status, headers, data: Readable.toWeb(decodedBody(reply)) as T };
  }
  const limit = context.responseBytesMax;
  const bytes = await readReply(reply, limit);
  if (bytes === undefined) throw error("OUTGOING_REPLY_SIZE", context, { limit });
  const hasBody = method !== "HEAD" && bytes.length > 0;
  const data = hasBody ? decode(bytes, as ?? formatOf(headers), context) : undefined;
  if (schema === undefined) return { status, headers, data: data as T }; // as the caller says
  const checked = await schema["~standard"].validate(data);
  if (checked.issues === undefined) return { status, headers, data: checked.value };
  const errors = describeIssues(checked.issues);
  const first = errors[0];
  const where = first === undefined || first.pointer === "" ? "" : ` at ${first.pointer}`;
  const reason = `it does not match the schema${where}: ${first?.detail ?? "unknown"}`;
  throw error("OUTGOING_REPLY_INVALID", context, { reason }, { details: { status, errors } });
}

async function statusError<T>(
  reply: HttpReply,
  context: ReplyContext<T>,
): Promise<PlatformError> {
  const { status, headers } = reply;
  const bytes = await readReply(reply, errorBytesMax).catch(() => undefined); // the status is known
  const data = bytes === undefined ? undefined : excerpt(bytes, formatOf(headers));
  const { method, path } = context;
  return error("OUTGOING_STATUS", context, { status, method, path: path || "/" }, {
    details: { status, ...(data === undefined ? {} : { data }) },
  });
}

function excerpt(bytes: Uint8Array, format: ReplyFormat): unknown {
  if (bytes.length === 0) return undefined;
  if (format === "bytes") return `${bytes.length} bytes`;
  const text = decoder.decode(bytes);
  if (format === "json" && text.length <= excerptChars) {
    try {
      return JSON.parse(text);
    } catch {
      return text; // it only said that it is JSON
    }
  }
  return text.length <= excerptChars ? text : `${text.slice(0, excerptChars)}...`;
}

type ReplyFormat = "json" | "text" | "bytes";

const decoder = new TextDecoder();

function formatOf(headers: Headers): ReplyFormat {
  const [type = ""] = (headers.get("content-type") ?? "").toLowerCase().split(";");
  const essence = type.trim();
  if (essence === "application/json" || essence.endsWith("+json")) return "json";
  const isText = essence.startsWith("text/") || essence.endsWith("/xml") ||
    essence.endsWith("+xml") || essence === "application/x-www-form-urlencoded";
  return isText ? "text" : "bytes";
}

function decode<T>(bytes: Uint8Array, format: ReplyFormat, context: ReplyContext<T>): unknown {
  if (format === "bytes") return bytes;
  const text = decoder.decode(bytes);
  if (format === "text") return text;
  try {
    return JSON.parse(text);
  } catch (cause) {
    // The parser quotes the text, which is the other side's, and may be anything.
    const reason = "it is not JSON";
    throw error("OUTGOING_REPLY_INVALID", context, { reason }, { cause });
  }
}

function error<T>(
  code: "OUTGOING_STATUS" | "OUTGOING_REPLY_INVALID" | "OUTGOING_REPLY_SIZE",
  { name }: ReplyContext<T>,
  params: ErrorParams,
  options?: PlatformErrorOptions,
): PlatformError {
  return new PlatformError(code, { kind: "RestOutgoing", name, ...params }, options);
}

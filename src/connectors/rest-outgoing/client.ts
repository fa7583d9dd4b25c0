import { PlatformError } from "../../errors/platform-error.ts";
import { acceptedEncodings } from "../../http/client/reply-body.ts";
import type { HttpSender } from "../../http/client/sender.ts";
import type { SendCall } from "../../http/client/sender-options.ts";
import { createRestClient, type RestSending } from "../../service/outgoing/create-rest-client.ts";
import type { RestClient, RestReply } from "../../service/outgoing/rest-client.ts";
import type { RestOutgoingSpec } from "./index.ts";
import { takeReply } from "./reply.ts";
import { BadCall, encodeBody, renderPath, renderQuery } from "./request.ts";

/** What all clients of one connection share. */
export interface RestConnection {
  readonly name: string;
  readonly spec: RestOutgoingSpec;
  readonly sender: HttpSender;
}

/** Methods that may be done twice (RFC 9110, 9.2.2). */
const idempotent = new Set(["GET", "HEAD", "PUT", "DELETE"]);

/** Headers that say where a body ends, and whom a request is for. */
const framing = ["connection", "content-length", "host", "transfer-encoding", "upgrade"];

/** The client of one connection for one call. */
export function createRestCaller(connection: RestConnection, call: SendCall): RestClient {
  return createRestClient((sending) => send(connection, call, sending));
}

async function send<T>(
  connection: RestConnection,
  call: SendCall,
  sending: RestSending<T>,
): Promise<RestReply<T>> {
  const { name, spec, sender } = connection;
  const { method, path, options } = sending;
  const prepared = await prepare(connection, sending);
  const context = { name, method, path, options, responseBytesMax: spec.responseBytesMax };
  return await sender.send({
    method,
    ...prepared,
    isIdempotent: options.isIdempotent ?? idempotent.has(method),
    timeoutMs: options.timeoutMs,
    call,
  }, (reply) => takeReply(reply, context));
}

async function prepare<T>(
  { spec, name }: RestConnection,
  { path, body: content, options }: RestSending<T>,
) {
  try {
    const target = spec.path + renderPath(path, options.params) + renderQuery(options.query);
    const headers = new Headers(spec.headers);
    for (const [header, value] of Object.entries(options.headers ?? {})) {
      headers.set(header, value);
    }
    for (const header of framing) headers.delete(header);
    const own = headers.get("content-type");
    const { body, contentType } = await encodeBody(content, spec.format, own);
    if (contentType !== undefined) headers.set("content-type", contentType);
    if (!headers.has("accept")) headers.set("accept", "application/json, */*;q=0.5");
    headers.set("accept-encoding", acceptedEncodings);
    if (!headers.has("user-agent")) headers.set("user-agent", "dragoman");
    return { target, headers: Object.fromEntries(headers), body };
  } catch (error) {
    // Headers are refused with a TypeError that may quote them.
    const reason = error instanceof BadCall ? error.message : "a header or the body is malformed";
    const params = { kind: "RestOutgoing", name, reason };
    throw new PlatformError("OUTGOING_REQUEST", params, { cause: error });
  }
}

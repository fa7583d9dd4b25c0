import { Buffer } from "node:buffer";
import { PlatformError } from "../../errors/platform-error.ts";
import type { Principal } from "../../security/principal.ts";
import type { Call, ChannelInfo, ServiceRequest, ServiceRuntime } from "../call.ts";
import type { Service } from "../define-service.ts";
import type { XmlElement } from "../../xml/element.ts";

/** What a request says beside its input. */
export interface TestRequest {
  /** Default: the first method that the service has a handler for, else POST. */
  readonly method?: string;
  /** Default `/`. */
  readonly path?: string;
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: URLSearchParams | Readonly<Record<string, string>> | string;
  readonly headers?: Headers | Readonly<Record<string, string>>;
  /** Default: the input as JSON. Only for services that say `rawBody: true`, as everywhere. */
  readonly rawBody?: Uint8Array | string;
  /** Default: the input as JSON. Only for services that say `streamBody: true`. */
  readonly body?: ReadableStream<Uint8Array> | Uint8Array | string;
  /** Who asks; default nobody. */
  readonly principal?: { readonly name: string } & Partial<Principal>;
  /** Default: a RestChannel called `test`. */
  readonly channel?: ChannelInfo;
  readonly cid?: string;
  readonly remoteAddress?: string;
  readonly traceparent?: string;
  /** Id of a WebSocket connection. */
  readonly connection?: string;
  /** Elements of a SOAP message's header. */
  readonly soapHeaders?: readonly XmlElement[];
  /** Longest time of the call by the kit's clock; default: the service's own, else 30,000. */
  readonly timeoutMs?: number;
  /** Aborted when the client goes. */
  readonly signal?: AbortSignal;
}

export interface TestCallOptions {
  readonly service: Service;
  readonly input: unknown;
  readonly request: TestRequest;
  readonly cid: string;
  readonly runtime: ServiceRuntime;
}

/** A call that no channel made; without a time limit of its own. */
export function createTestCall(options: TestCallOptions): Call {
  const { runtime, request: { signal } } = options;
  return {
    request: createRequest(options),
    response: { status: 0, headers: new Headers() },
    signal: signal ?? new AbortController().signal,
    runtime,
    remaining: () => Infinity,
  };
}

function createRequest({ service, input, request, cid }: TestCallOptions): ServiceRequest {
  const { principal, connection, soapHeaders, rawBody, body } = request;
  const written = () => JSON.stringify(input) ?? "";
  return {
    cid,
    channel: request.channel ?? { kind: "RestChannel", name: "test" },
    principal: principal && { kind: "ApiKey", roles: [], ...principal },
    method: request.method ?? service.methods?.[0] ?? "POST",
    path: request.path ?? "/",
    params: request.params ?? {},
    query: new URLSearchParams(request.query),
    headers: new Headers(request.headers),
    get rawBody() {
      if (!service.rawBody) throw new PlatformError("SERVICE_RAW_BODY");
      return bytesOf(rawBody ?? written());
    },
    remoteAddress: request.remoteAddress ?? "127.0.0.1",
    traceparent: request.traceparent,
    ...(connection === undefined ? {} : { connection }),
    ...(soapHeaders === undefined ? {} : { soapHeaders }),
    ...(service.streamBody ? { body: streamOf(body ?? written()) } : {}),
  };
}

function streamOf(
  body: ReadableStream<Uint8Array> | Uint8Array | string,
): ReadableStream<Uint8Array> {
  if (body instanceof ReadableStream) return body;
  return new ReadableStream({
    start(controller) {
      controller.enqueue(bytesOf(body));
      controller.close();
    },
  });
}

function bytesOf(body: Uint8Array | string): Uint8Array {
  return typeof body === "string" ? new Uint8Array(Buffer.from(body, "utf8")) : body;
}

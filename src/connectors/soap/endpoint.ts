import { PlatformError } from "../../errors/platform-error.ts";
import { UnwritableError } from "../../formats/format.ts";
import { type MediaType, parseMediaType } from "../../formats/media-type.ts";
import { admitHead, admitMessage } from "../../http/admit.ts";
import { announcedBytes, bodyFailure, incomingBody, readBytes } from "../../http/body.ts";
import type { Exchange } from "../../http/exchange.ts";
import type { ProblemAnswer } from "../../http/problem.ts";
import type { HttpEndpoint, Route } from "../../http/route.ts";
import { runService, validate } from "../../service/run-service.ts";
import { describeIssues } from "../../service/schema.ts";
import { serviceFailure } from "../../service/service-failure.ts";
import { decodeXml } from "../../xml/decode.ts";
import { parseXml } from "../../xml/parse.ts";
import { actionOf, type Dispatcher } from "./dispatch.ts";
import {
  checkHeaders,
  type Envelope,
  openEnvelope,
  renderEnvelope,
  versionOf,
} from "../../soap/envelope.ts";
import { renderFault } from "./fault.ts";
import type { SoapOperation, SoapStyle } from "./operation.ts";
import { soap12, type SoapVersion } from "../../soap/version.ts";

export interface SoapEndpointOptions {
  readonly versions: readonly SoapVersion[];
  readonly namespace: string;
  readonly style: SoapStyle;
  readonly dispatcher: Dispatcher;
  /** Names of headers that are understood, as `{namespace}name`. */
  readonly understood: ReadonlySet<string>;
}

/** The operations of one channel. */
export class SoapEndpoint implements HttpEndpoint {
  readonly #options: SoapEndpointOptions;
  /** Of messages that failed once their version was known. */
  readonly #versions = new WeakMap<Exchange, SoapVersion>();

  constructor(options: SoapEndpointOptions) {
    this.#options = options;
  }

  /** Security, envelope, headers, operation, coercion, validation, service, answer. */
  async answer(exchange: Exchange): Promise<Response> {
    const route = exchange.route!; // endpoints are reached by a route
    const admitting = admitHead(exchange, route);
    if (admitting !== undefined) await admitting;
    const type = parseMediaType(exchange.headers.get("content-type"));
    if (!contentTypes.has(type.essence)) throw contentTypeError();
    const text = decodeXml(await receive(exchange, route), type.parameters.get("charset"));
    const root = parseXml(text, { refuseInstructions: true });
    const version = versionOf(root, this.#options.versions);
    try {
      const admittingMessage = admitMessage(exchange, route, { envelope: root, text });
      if (admittingMessage !== undefined) await admittingMessage;
      return await this.#answerMessage(exchange, openEnvelope(root, version), type);
    } catch (error) {
      this.#versions.set(exchange, version);
      throw error;
    }
  }

  /** A fault, in the version of the request as far as that is known. */
  failure(exchange: Exchange, answer: ProblemAnswer): Response {
    const { versions, namespace, style } = this.#options;
    const version = this.#versions.get(exchange) ?? this.#likelyVersion(exchange);
    const { body, status } = renderFault(answer, { version, versions, namespace, style });
    const { cid, route, tools } = exchange;
    const response = tools.answers.text(body, { type: version.contentType, cid, status });
    for (const [name, value] of Object.entries(answer.headers)) response.headers.set(name, value);
    const challenge = status === 401 ? route?.guard?.challenge : undefined;
    if (challenge) response.headers.set("WWW-Authenticate", challenge);
    return response;
  }

  #likelyVersion({ headers }: Exchange): SoapVersion {
    const { versions } = this.#options;
    const is12 = headers.get("content-type")?.startsWith("application/soap+xml") ?? false;
    return (is12 ? versions.find((one) => one === soap12) : undefined) ?? versions[0]!; // never none
  }

  #answerMessage(
    exchange: Exchange,
    envelope: Envelope,
    type: MediaType,
  ): Response | Promise<Response> {
    const { dispatcher, understood } = this.#options;
    checkHeaders(envelope, understood);
    const { version, headers, content } = envelope;
    const operation = dispatcher.find(content, actionOf(version, exchange.headers, type));
    if (headers.length > 0) exchange.soapHeaders = headers;
    // Not the headers: what they say of security is new in each message.
    exchange.once?.compare(JSON.stringify(content ?? operation.name));
    return invoke(exchange, operation, { version, input: operation.read(content) });
  }
}

const contentTypes = new Set(["text/xml", "application/soap+xml", "application/xml"]);

function contentTypeError(): PlatformError {
  const advice = "Send text/xml for SOAP 1.1, application/soap+xml for SOAP 1.2";
  return new PlatformError("REQUEST_CONTENT_TYPE", {}, { advice });
}

interface Invocation {
  readonly version: SoapVersion;
  readonly input: unknown;
}

async function invoke(
  exchange: Exchange,
  operation: SoapOperation,
  { version, input }: Invocation,
): Promise<Response> {
  const { runnable } = operation;
  const { service } = runnable;
  const checking = validate(service.input, input);
  const checked = checking instanceof Promise ? await checking : checking;
  if (checked.issues !== undefined) {
    throw new PlatformError("REQUEST_INPUT_INVALID", {}, {
      details: { errors: describeIssues(checked.issues) },
    });
  }
  if (exchange.once !== undefined) await exchange.once.begin();
  let output: unknown;
  try {
    const running = runService(runnable, checked.value, exchange);
    output = running instanceof Promise ? await running : running;
  } catch (error) {
    throw serviceFailure(error, service.name);
  }
  const body = renderEnvelope(version, written(operation, output));
  const { cid, tools, responseIfTouched } = exchange;
  const response = tools.answers.text(body, { type: version.contentType, cid });
  if (responseIfTouched !== undefined) copyHeaders(responseIfTouched.headers, response.headers);
  return response;
}

function written({ runnable, write }: SoapOperation, output: unknown): string {
  try {
    return write(output);
  } catch (error) {
    if (!(error instanceof UnwritableError)) throw error;
    const { pointer, message } = error;
    const reason = pointer === "" ? message : `${pointer}: ${message}`;
    throw new PlatformError("SERVICE_OUTPUT_FORMAT", {
      service: runnable.service.name,
      format: "xml",
      reason,
    }, { cause: error, details: { errors: [{ pointer, detail: message }] } });
  }
}

/** Headers that are the protocol's or the connection's, and not the service's. */
const protocolHeaders = new Set([
  "connection",
  "content-length",
  "content-type",
  "keep-alive",
  "transfer-encoding",
]);

function copyHeaders(from: Headers, to: Headers): void {
  const own = new Set(to.keys());
  for (const [name, value] of from) {
    if (!protocolHeaders.has(name) && !own.has(name)) to.append(name, value);
  }
}

async function receive(
  exchange: Exchange,
  { bodyBytesMax, keepsBody }: Route,
): Promise<Uint8Array> {
  const { web, headers } = exchange;
  const incoming = incomingBody(web, announcedBytes(web, headers), bodyBytesMax);
  exchange.isReadingBody = true;
  let bytes: Uint8Array;
  try {
    bytes = await readBytes(incoming);
  } catch (error) {
    throw bodyFailure(error);
  }
  exchange.isReadingBody = false;
  if (keepsBody) exchange.body = bytes;
  return bytes;
}

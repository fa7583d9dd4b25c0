import { PlatformError } from "../../errors/platform-error.ts";
import { UnwritableError } from "../../formats/format.ts";
import { acceptedEncodings } from "../../http/client/reply-body.ts";
import type { HttpSender } from "../../http/client/sender.ts";
import type { SendCall } from "../../http/client/sender-options.ts";
import { didYouMean } from "../../lib/nearest-name.ts";
import type { SoapClient } from "../../service/outgoing/soap-client.ts";
import { renderEnvelope } from "../../soap/envelope.ts";
import { soap11, type SoapVersion } from "../../soap/version.ts";
import { encodeMessage } from "../../soap/wsdl/message-codec.ts";
import type { WsdlOperation, WsdlPort } from "../../soap/wsdl/model.ts";
import type { TypeFamily } from "../../soap/xsd/type-family.ts";
import type { SoapOutgoingSpec } from "./index.ts";
import type { MessageSecurity } from "./message-security.ts";
import { takeAnswer } from "./answer.ts";

/** What all clients of one connection share. */
export interface SoapConnection {
  readonly name: string;
  readonly spec: SoapOutgoingSpec;
  readonly sender: HttpSender;
  readonly port: WsdlPort;
  readonly types: TypeFamily;
  /** Undefined: messages carry no WS-Security. */
  readonly security: MessageSecurity | undefined;
}

/** The client of one connection for one call. */
export class SoapCaller implements SoapClient {
  readonly #connection: SoapConnection;
  readonly #call: SendCall;

  constructor(connection: SoapConnection, call: SendCall) {
    this.#connection = connection;
    this.#call = call;
  }

  async call<T = unknown>(
    name: string,
    input?: unknown,
    options: { readonly timeoutMs?: number } = {},
  ): Promise<T> {
    const { spec, port, sender } = this.#connection;
    const operation = this.#operation(name);
    const body = new TextEncoder().encode(this.#message(operation, input));
    const answer = await sender.send({
      method: "POST",
      target: "",
      headers: headersOf(port.version, operation.action),
      body,
      isIdempotent: spec.idempotent.includes(name),
      isFailure: isServerFailure,
      timeoutMs: options.timeoutMs,
      call: this.#call,
    }, (reply) => takeAnswer(reply, operation, this.#connection));
    return answer as T; // as the caller says
  }

  #operation(name: string): WsdlOperation {
    const { operations, unusable } = this.#connection.port;
    const found = operations.get(name);
    if (found !== undefined) return found;
    const reason = unusable.get(name);
    if (reason !== undefined) throw this.#refusal(reason);
    const hint = didYouMean(name, operations.keys());
    throw this.#refusal(`the WSDL has no operation "${name}"${hint}`);
  }

  #message(operation: WsdlOperation, input: unknown): string {
    const { spec, port, types, security } = this.#connection;
    try {
      const content = encodeMessage(operation.input, input, types);
      const headers = spec.soapHeaders.join("");
      if (security !== undefined) {
        return security.secure({ version: port.version, content, headers });
      }
      const header = headers === "" ? "" : `<soap:Header>${headers}</soap:Header>`;
      return renderEnvelope(port.version, content, header);
    } catch (error) {
      if (error instanceof UnwritableError) {
        const where = error.pointer === "" ? "the input" : `the input at ${error.pointer}`;
        throw this.#refusal(`${where}: ${error.message}`, error);
      }
      if (error instanceof RangeError) throw this.#refusal("the input refers to itself", error);
      throw error;
    }
  }

  #refusal(reason: string, cause?: unknown): PlatformError {
    const { name } = this.#connection;
    return new PlatformError("OUTGOING_REQUEST", { kind: "SoapOutgoing", name, reason }, { cause });
  }
}

/** Faults come with 500, and say nothing against the other side's health. */
function isServerFailure(status: number, headers: Headers): boolean {
  return status >= 500 && !(status === 500 && /xml/i.test(headers.get("content-type") ?? ""));
}

function headersOf(version: SoapVersion, action: string): Readonly<Record<string, string>> {
  const common = {
    "accept": "text/xml, application/soap+xml, */*;q=0.5",
    "accept-encoding": acceptedEncodings,
    "user-agent": "dragoman",
  };
  const quoted = `"${action.replaceAll(/["\\\r\n]/g, (one) => encodeURIComponent(one))}"`;
  if (version === soap11) {
    return { ...common, "content-type": version.contentType, "soapaction": quoted };
  }
  const parameter = action === "" ? "" : `; action=${quoted}`;
  return { ...common, "content-type": version.contentType + parameter };
}

import { isPlatformError, PlatformError, reasonOf } from "../../errors/platform-error.ts";
import { readReply } from "../../http/client/reply-body.ts";
import type { HttpReply } from "../../http/client/transport.ts";
import { openEnvelope, versionOf } from "../../soap/envelope.ts";
import { readFault } from "../../soap/read-fault.ts";
import { soap11, soap12 } from "../../soap/version.ts";
import { decodeFaultDetail, decodeMessage } from "../../soap/wsdl/message-codec.ts";
import type { WsdlOperation } from "../../soap/wsdl/model.ts";
import { parseXml } from "../../xml/parse.ts";
import type { SoapConnection } from "./client.ts";

const kind = "SoapOutgoing";

/**
 * Makes of an answer what the operation says. Rejects with SOAP_FAULT, OUTGOING_STATUS,
 * OUTGOING_REPLY_INVALID and OUTGOING_REPLY_SIZE.
 */
export async function takeAnswer(
  reply: HttpReply,
  operation: WsdlOperation,
  { name, spec, types }: SoapConnection,
): Promise<unknown> {
  const limit = spec.responseBytesMax;
  const bytes = await readReply(reply, limit);
  if (bytes === undefined) throw new PlatformError("OUTGOING_REPLY_SIZE", { kind, name, limit });
  const isEmpty = bytes.length === 0;
  if (isEmpty && reply.status < 300 && operation.output === undefined) return undefined;
  const invalid = (reason: string, cause?: unknown) =>
    reply.status >= 300
      ? statusError(reply.status, { name, operation, cause })
      : new PlatformError("OUTGOING_REPLY_INVALID", { kind, name, reason }, { cause });
  if (isEmpty) throw invalid("it is empty");
  const type = reply.headers.get("content-type") ?? "";
  if (/^multipart\//i.test(type)) throw invalid("it has attachments, which are not supported");
  const decoded = <T>(decode: () => T): T => {
    try {
      return decode();
    } catch (error) {
      // Whatever is wrong with an answer is no fault of whoever called the service.
      throw isPlatformError(error) ? invalid(reasonOf(error), error) : error;
    }
  };
  const { content, fault } = decoded(() => openMessage(bytes, charsetOf(type)));
  if (fault !== undefined) {
    const { code, reason } = fault;
    const detail = decoded(() => decodeFaultDetail(operation, fault.detail, types));
    throw new PlatformError("SOAP_FAULT", {
      name,
      operation: operation.name,
      code: code.slice(0, 200),
      reason: reason.slice(0, 1_000),
    }, { details: { code, reason, ...detail === undefined ? {} : { detail } } });
  }
  if (reply.status >= 300) throw statusError(reply.status, { name, operation });
  const { output } = operation;
  return output === undefined ? undefined : decoded(() => decodeMessage(output, content, types));
}

function charsetOf(contentType: string): string | undefined {
  return /charset="?([\w.:-]+)/i.exec(contentType)?.[1];
}

// A server that speaks one version only may answer a message of the other one in its own.
function openMessage(bytes: Uint8Array, charset: string | undefined) {
  const root = parseXml(bytes, { charset });
  const version = versionOf(root, [soap11, soap12]);
  const { content } = openEnvelope(root, version);
  return { content, fault: readFault(content, version) };
}

function statusError(
  status: number,
  { name, operation, cause }: {
    readonly name: string;
    readonly operation: WsdlOperation;
    readonly cause?: unknown;
  },
): PlatformError {
  const params = { kind, name, status, method: "POST", path: operation.name };
  return new PlatformError("OUTGOING_STATUS", params, { cause, details: { status } });
}

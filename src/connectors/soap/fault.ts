import type { Problem, ProblemAnswer } from "../../http/problem.ts";
import { UnwritableError } from "../../formats/format.ts";
import { compileXmlWriter } from "../../formats/xml-writer.ts";
import { escapeAttribute, escapeText } from "../../xml/escape.ts";
import { renderEnvelope } from "../../soap/envelope.ts";
import { problemValue } from "./problem-schema.ts";
import type { SoapStyle } from "./operation.ts";
import { soap11, type SoapVersion } from "../../soap/version.ts";

/** A fault as it goes out. */
export interface FaultAnswer {
  readonly body: string;
  readonly status: number;
}

export interface FaultOptions {
  readonly version: SoapVersion;
  /** What the channel takes, for clients that send something else. */
  readonly versions: readonly SoapVersion[];
  /** Of the channel's elements. */
  readonly namespace: string;
  readonly style: SoapStyle;
}

// What HTTP itself has to say stays as it is, so that clients and everything in between act on it.
// All other faults have the status of the HTTP bindings: SOAP 1.1 section 6.2, SOAP 1.2 part 2
// section 7.5.2.2.
const ownStatuses = new Set([401, 403, 405, 408, 413, 415, 429, 503]);

const writeProblem = compileXmlWriter(problemValue);

/** Says in SOAP what went wrong, and whose fault it was. */
export function renderFault(
  { problem, isFault }: ProblemAnswer,
  options: FaultOptions,
): FaultAnswer {
  const { version } = options;
  const code = faultCode(problem, isFault);
  const reason = writeReason(problem.detail ?? problem.title);
  // A fault of the header, SOAP 1.1 section 4.4, says nothing in its detail.
  const isOfHeader = code === "MustUnderstand" || code === "VersionMismatch";
  const detail = isOfHeader ? "" : problemText(problem, options);
  const content = version === soap11
    ? fault11(code, reason, detail)
    : fault12(code, reason, detail);
  const header = code === "VersionMismatch" && version !== soap11 ? upgradeHeader(options) : "";
  return {
    body: renderEnvelope(version, content, header),
    status: statusOf(problem.status, { code, version }),
  };
}

type FaultCode = "VersionMismatch" | "MustUnderstand" | "Client" | "Server";

function faultCode({ code, status }: Problem, isFault: boolean): FaultCode {
  if (code === "SOAP_VERSION_MISMATCH") return "VersionMismatch";
  if (code === "SOAP_NOT_UNDERSTOOD") return "MustUnderstand";
  return isFault || status >= 500 ? "Server" : "Client";
}

function statusOf(
  status: number,
  { code, version }: { readonly code: FaultCode; readonly version: SoapVersion },
): number {
  if (ownStatuses.has(status)) return status;
  return version === soap11 || code !== "Client" ? 500 : 400;
}

function fault11(code: FaultCode, reason: string, detail: string): string {
  return `<soap:Fault><faultcode>soap:${code}</faultcode><faultstring>${reason}</faultstring>` +
    `${detail === "" ? "" : `<detail>${detail}</detail>`}</soap:Fault>`;
}

function fault12(code: FaultCode, reason: string, detail: string): string {
  const name = code === "Client" ? "Sender" : code === "Server" ? "Receiver" : code;
  return `<soap:Fault><soap:Code><soap:Value>soap:${name}</soap:Value></soap:Code>` +
    `<soap:Reason><soap:Text xml:lang="en">${reason}</soap:Text></soap:Reason>` +
    `${detail === "" ? "" : `<soap:Detail>${detail}</soap:Detail>`}</soap:Fault>`;
}

function problemText(problem: Problem, { namespace, style }: FaultOptions): string {
  const uri = escapeAttribute(namespace);
  const [name, head] = style === "rpc"
    ? ["tns:Problem", ` xmlns:tns="${uri}"`]
    : ["Problem", ` xmlns="${uri}"`];
  try {
    return writeProblem(name, problem, head);
  } catch (error) {
    if (!(error instanceof UnwritableError)) throw error;
    // Only a service's own words can be unwritable; what is left is ours.
    const { title, status, cid } = problem;
    return writeProblem(name, { title, status, cid }, head);
  }
}

function upgradeHeader({ versions }: FaultOptions): string {
  const supported = versions.map(({ namespace }) =>
    `<soap:SupportedEnvelope qname="e:Envelope" xmlns:e="${namespace}"/>`
  );
  return `<soap:Header><soap:Upgrade>${supported.join("")}</soap:Upgrade></soap:Header>`;
}

/** A service may have put anything into its message. */
function writeReason(text: string): string {
  // deno-lint-ignore no-control-regex -- control characters are what is looked for
  const control = /[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g;
  return escapeText(text.toWellFormed().replaceAll(control, " "));
}

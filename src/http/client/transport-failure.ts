import { reasonOf } from "../../errors/platform-error.ts";

/**
 * No whole answer came. `connect`: the other side has seen nothing of the request. `sent`: it may
 * have seen it, and done what it asks for.
 */
export class TransportFailure extends Error {
  override readonly name = "TransportFailure";
  readonly phase: "connect" | "sent";
  /** True when the two sides do not agree on TLS: another attempt would end the same way. */
  readonly isTls: boolean;

  constructor(cause: unknown, phase: "connect" | "sent") {
    const code = codeOf(cause);
    super(wordsOf(code) ?? reasonOf(cause), { cause });
    this.phase = phase;
    this.isTls = isTlsCode.test(code) || (phase === "connect" && isTlsText.test(reasonOf(cause)));
  }
}

const words: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset",
  EPIPE: "connection closed while sending",
  EHOSTUNREACH: "host unreachable",
  ENETUNREACH: "network unreachable",
  ETIMEDOUT: "connection timed out",
  ENOTFOUND: "no such host",
  EAI_AGAIN: "the host's name could not be looked up",
};

function wordsOf(code: string): string | undefined {
  return Object.hasOwn(words, code) ? words[code] : undefined;
}

// What certificates are refused for has many codes, and few words.
const isTlsCode = /CERT|SSL|TLS|ISSUER|SELF_SIGNED|UNABLE_TO/;
const isTlsText = /certificate|\btls\b|\bssl\b|handshake/i;

function codeOf(error: unknown): string {
  if (typeof error !== "object" || error === null || !("code" in error)) return "";
  return String(error.code);
}

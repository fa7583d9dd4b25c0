import { reasonOf } from "../errors/platform-error.ts";

/** Why no connection came about, and whether certificates were the cause. */
export interface ConnectionFailure {
  readonly isUntrusted: boolean;
  /** The system's code, such as ECONNRESET; empty when there is none. */
  readonly code: string;
  /** For people: continues a sentence after a colon. */
  readonly reason: string;
}

const untrusted: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "its certificate has expired",
  CERT_NOT_YET_VALID: "its certificate is not valid yet",
  DEPTH_ZERO_SELF_SIGNED_CERT: "its certificate is self-signed",
  SELF_SIGNED_CERT_IN_CHAIN: "its certificate was issued by another authority",
  UNABLE_TO_GET_ISSUER_CERT: "its certificate was issued by another authority",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "its certificate was issued by another authority",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    "its certificate was issued by another authority, is not valid now " +
    "or is not for this use",
  CERT_SIGNATURE_FAILURE: "the signature of its certificate is wrong",
  INVALID_PURPOSE: "its certificate was not issued for this use",
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: "it sent no certificate",
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: "it wants a certificate and got none",
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: "it refused the handshake",
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: "it does not trust the authority of this side's certificate",
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: "it found this side's certificate expired",
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: "it refused this side's certificate",
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: "it refused this side's certificate",
  ERR_SSL_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
    "it found this side's certificate unfit for this use",
  ERR_SSL_WRONG_VERSION_NUMBER: "it does not speak TLS",
};

const unreachable: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there (connection refused)",
  ECONNRESET:
    "the connection was closed before an answer came; when this repeats, the other side " +
    "may not trust this side's certificate, which its log would say",
  EPIPE: "the connection was closed while the request was sent",
  ENOTFOUND: "the host name is unknown",
  EAI_AGAIN: "the host name cannot be resolved now",
  EHOSTUNREACH: "there is no route to the host",
  ENETUNREACH: "there is no route to the network",
  ETIMEDOUT: "the host does not answer",
};

/** Explains an error of a TLS connection; "it" is the other side. */
export function explainFailure(error: unknown): ConnectionFailure {
  const code = codeOf(error);
  const trust = untrusted[code];
  if (trust !== undefined) return { isUntrusted: true, code, reason: trust };
  const isTls = /^(ERR_SSL|ERR_TLS|CERT_|UNABLE_TO_)/.test(code);
  return { isUntrusted: isTls, code, reason: unreachable[code] ?? reasonOf(error) };
}

/**
 * Why a server ended a handshake. The socket knows what verification found; the error says only
 * that the connection has gone.
 */
export function explainHandshake(error: unknown, socket: unknown): string {
  const verdict = socket !== null && typeof socket === "object" && "authorizationError" in socket
    ? socket.authorizationError
    : undefined;
  const code = typeof verdict === "string" ? verdict : codeOf(verdict) || codeOf(error);
  if (code === "ECONNRESET") return "the caller closed the connection during the handshake";
  return untrusted[code] ?? reasonOf(error);
}

function codeOf(error: unknown): string {
  const isCoded = error instanceof Error && "code" in error && typeof error.code === "string";
  return isCoded ? String(error.code) : "";
}

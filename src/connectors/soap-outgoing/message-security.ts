import { createPrivateKey, X509Certificate } from "node:crypto";
import type { StoredObject } from "../../catalog/kind.ts";
import { PlatformError } from "../../errors/platform-error.ts";
import type { ClusterKey } from "../../security/cluster-key.ts";
import { unsealField } from "../../security/secrets.ts";
import { wsseNamespace, wsuNamespace } from "../../security/ws-security/names.ts";
import {
  renderCertificateToken,
  signedIds,
  type SigningKey,
  signMessage,
} from "../../security/ws-security/sign-message.ts";
import {
  renderUsernameToken,
  type UsernameTokenOptions,
} from "../../security/ws-security/username-token.ts";
import type { SoapVersion } from "../../soap/version.ts";
import { xmlDeclaration } from "../../xml/render.ts";
import type { SoapOutgoingSpec } from "./index.ts";

/** A message that is still to get its envelope; all parts are written already. */
export interface PlainMessage {
  readonly version: SoapVersion;
  /** What stands in the body. */
  readonly content: string;
  /** What stands in the header. */
  readonly headers: string;
}

type Login = Omit<UsernameTokenOptions, "now">;

export interface MessageSecurityOptions {
  readonly login: Login | undefined;
  readonly signing: SigningKey | undefined;
  /** How long a signed message holds. */
  readonly lifetimeMs: number;
}

/** Puts WS-Security into messages. */
export class MessageSecurity {
  readonly #options: MessageSecurityOptions;

  constructor(options: MessageSecurityOptions) {
    this.#options = options;
  }

  /** The whole envelope. */
  secure({ version, content, headers }: PlainMessage): string {
    const { login, signing, lifetimeMs } = this.#options;
    const now = new Date();
    const token = login === undefined ? "" : renderUsernameToken({ ...login, now });
    const proof = signing === undefined
      ? ""
      : renderCertificateToken(signing) + renderTimestamp(now, lifetimeMs);
    const envelope = `${xmlDeclaration}<soap:Envelope xmlns:soap="${version.namespace}"` +
      ` xmlns:wsu="${wsuNamespace}"><soap:Header><wsse:Security xmlns:wsse="${wsseNamespace}"` +
      ` soap:mustUnderstand="1">${proof}${token}</wsse:Security>${headers}</soap:Header>` +
      `<soap:Body wsu:Id="${signedIds.body}">${content}</soap:Body></soap:Envelope>`;
    return signing === undefined ? envelope : signMessage(envelope, signing);
  }
}

/**
 * What an object says of WS-Security; undefined for nothing. Throws OUTGOING_UNUSABLE when half of
 * it is missing, and SECURITY_* for secrets that cannot be unsealed.
 */
export function openMessageSecurity(
  { kind, name }: StoredObject,
  spec: SoapOutgoingSpec,
  key: ClusterKey,
): MessageSecurity | undefined {
  const { wssUsername: username, wssPassword, wssCertificate: certificate, wssKey } = spec;
  const unusable = (reason: string) =>
    new PlatformError("OUTGOING_UNUSABLE", { kind, name, reason });
  let login: Login | undefined;
  if (username !== undefined) {
    if (wssPassword === undefined) throw unusable("it has a wssUsername, and no wssPassword");
    const password = unsealField({ kind, name, field: "wssPassword" }, wssPassword, key);
    login = { username, password, type: spec.wssPasswordType };
  }
  let signing: SigningKey | undefined;
  if (certificate !== undefined) {
    if (wssKey === undefined) throw unusable("it has a wssCertificate, and no wssKey");
    const pem = unsealField({ kind, name, field: "wssKey" }, wssKey, key);
    if (!isKeyOf(pem, certificate)) throw unusable("wssKey is not the RSA key of wssCertificate");
    signing = { certificate, key: pem };
  }
  if (login === undefined && signing === undefined) return undefined;
  return new MessageSecurity({ login, signing, lifetimeMs: spec.wssLifetimeMs });
}

function renderTimestamp(now: Date, lifetimeMs: number): string {
  const expires = new Date(now.getTime() + lifetimeMs).toISOString();
  return `<wsu:Timestamp wsu:Id="${signedIds.timestamp}"><wsu:Created>${now.toISOString()}` +
    `</wsu:Created><wsu:Expires>${expires}</wsu:Expires></wsu:Timestamp>`;
}

function isKeyOf(pem: string, certificate: string): boolean {
  try {
    const key = createPrivateKey(pem);
    return key.asymmetricKeyType === "rsa" && new X509Certificate(certificate).checkPrivateKey(key);
  } catch {
    return false; // no key at all
  }
}

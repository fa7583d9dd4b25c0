import { createHash } from "node:crypto";
import type { XmlElement } from "../../xml/element.ts";
import { childElement, childElements, textOf } from "../../xml/query.ts";
import {
  type Member,
  type MessageAuthenticator,
  type SecuredMessage,
  securityDriver,
} from "../authenticator.ts";
import type { Principal } from "../principal.ts";
import { unsealField } from "../secrets.ts";
import { parseCertificates } from "./certificates.ts";
import { wsSecurity, type WsSecuritySpec } from "./index.ts";
import { dsNamespace, wsseNamespace } from "./names.ts";
import { ReplayMemory, type ReplayStore } from "./replay-memory.ts";
import { isFresh, isTimestampFresh, type SecuredParts, securedParts } from "./security-header.ts";
import { isPasswordOf, readUsernameToken, type UsernameToken } from "./username-token.ts";
import { verifySignature } from "./verify-signature.ts";

interface Rules {
  readonly name: string;
  readonly spec: WsSecuritySpec;
  readonly password: string | undefined;
  readonly certificates: ReturnType<typeof parseCertificates>;
  readonly seen: ReplayMemory;
}

/** Checks WsSecurity definitions by the Security header of messages. */
export const driver = securityDriver<Rules>({
  prepare(object, { key }) {
    const { kind, name } = object;
    const spec = wsSecurity.schema.parse(object.spec);
    return {
      name,
      spec,
      password: spec.password === undefined
        ? undefined
        : unsealField({ kind, name, field: "password" }, spec.password, key),
      certificates: spec.certificates === undefined ? [] : parseCertificates(spec.certificates),
      seen: new ReplayMemory(),
    };
  },
  combine(members, { signatureFailures, replays }): MessageAuthenticator {
    return {
      checkMessage(message, request) {
        const parts = securedParts(message.envelope);
        if (parts === undefined) return undefined;
        // Signatures are slow to check, and passwords can be guessed.
        const caller = request.remoteAddress;
        signatureFailures.check(caller);
        for (const member of members) {
          const found = check(member, message, parts);
          if (found === undefined) continue;
          return admit(member.prepared, found, replays).then((isNew) =>
            isNew ? found.principal : undefined
          );
        }
        signatureFailures.count(caller);
        return undefined;
      },
    };
  },
});

interface Admission {
  readonly principal: Principal;
  /** What this message may be sent only once by. */
  readonly onceId: string | undefined;
}

/** Undefined for whatever is wrong. */
function check(
  { prepared, principal }: Member<Rules>,
  message: SecuredMessage,
  parts: SecuredParts,
): Admission | undefined {
  const { spec, password, certificates } = prepared;
  const freshness = { ...spec, now: Date.now() };
  if (parts.timestamp !== undefined && !isTimestampFresh(parts.timestamp, freshness)) {
    return undefined;
  }
  let token: UsernameToken | undefined;
  if (spec.username !== undefined) {
    token = onlyToken(parts.security);
    if (token === undefined || !isTokenOf(token, spec, password)) return undefined;
    if (token.created !== undefined && !isFresh(token.created, freshness)) return undefined;
  }
  if (spec.certificates === undefined) return { principal, onceId: tokenId(token) };
  const { trust, allowSha1, requireTimestamp } = spec;
  if (requireTimestamp && parts.timestamp === undefined) return undefined;
  const rules = { certificates, trust, allowSha1, now: freshness.now };
  const certificate = verifySignature(message, parts, rules);
  if (certificate === undefined) return undefined;
  const subject = certificate.subject.replaceAll("\n", ", ");
  return { principal: { ...principal, subject }, onceId: signatureId(parts.security) };
}

function onlyToken(security: XmlElement): UsernameToken | undefined {
  const tokens = childElements(security).filter((one) =>
    one.name === "UsernameToken" && one.namespace === wsseNamespace
  );
  const [token] = tokens;
  return token === undefined || tokens.length !== 1 ? undefined : readUsernameToken(token);
}

function isTokenOf(
  token: UsernameToken,
  { username, passwordType }: WsSecuritySpec,
  password: string | undefined,
): boolean {
  const isRightType = passwordType === "any" || passwordType === token.type;
  // A digest without both would be good for ever.
  const isBound = token.type === "text" ||
    (token.nonce !== undefined && token.nonce !== "" && token.created !== undefined);
  // Compared in any case, so that a name that exists takes as long as one that does not.
  const isRight = isPasswordOf(token, password ?? "");
  return isRight && password !== undefined && token.username === username && isRightType && isBound;
}

function tokenId(token: UsernameToken | undefined): string | undefined {
  if (token?.nonce === undefined) return undefined;
  return digest(`nonce ${Buffer.from(token.nonce, "base64").toString("base64")} ${token.created}`);
}

/** Of the one signature that was found to hold. */
function signatureId(security: XmlElement): string {
  const signature = childElement(security, "Signature", dsNamespace);
  const value = signature && childElement(signature, "SignatureValue", dsNamespace);
  const text = value === undefined ? "" : textOf(value);
  return digest(`signature ${Buffer.from(text, "base64").toString("base64")}`);
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("base64url");
}

/** True when this message has not come before. */
async function admit(
  { name, spec, seen }: Rules,
  { onceId }: Admission,
  replays: ReplayStore | undefined,
): Promise<boolean> {
  if (onceId === undefined) return true;
  // For as long as its Created holds, on the faster of both clocks.
  const ttlMs = spec.freshnessMs + 2 * spec.clockSkewMs;
  if (!seen.remember(onceId, ttlMs)) return false;
  return await replays?.remember(`${name}:${onceId}`, ttlMs) ?? true;
}

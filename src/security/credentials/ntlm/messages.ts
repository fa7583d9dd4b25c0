import { createHmac } from "node:crypto";
import { avId, type AvPair, parseAvPairs, renderAvPairs } from "./av-pairs.ts";
import { md4 } from "./md4.ts";

// MS-NLMP. All numbers are little-endian; a "field" is length, allocated length, offset.

const signature = Buffer.from("NTLMSSP\0", "latin1");

const flag = {
  unicode: 0x0000_0001,
  oem: 0x0000_0002,
  requestTarget: 0x0000_0004,
  ntlm: 0x0000_0200,
  alwaysSign: 0x0000_8000,
  extendedSessionSecurity: 0x0008_0000,
  targetInfo: 0x0080_0000,
  strongKeys: 0x2000_0000,
} as const;

const wantedFlags = flag.unicode | flag.oem | flag.requestTarget | flag.ntlm | flag.alwaysSign |
  flag.extendedSessionSecurity | flag.targetInfo | flag.strongKeys;

/** What a server asks of us. */
export interface Challenge {
  /** The whole message, as it came. */
  readonly message: Buffer;
  readonly flags: number;
  /** 8 bytes. */
  readonly serverChallenge: Buffer;
  readonly targetInfo: readonly AvPair[];
}

/** Whom we claim to be. */
export interface Account {
  readonly username: string;
  readonly password: string;
  readonly domain: string;
  readonly workstation: string;
}

export interface AnswerOptions {
  /** The NEGOTIATE_MESSAGE that began the exchange. */
  readonly negotiate: Buffer;
  /** 8 random bytes. */
  readonly clientChallenge: Buffer;
  /** Milliseconds since 1970; used when the server does not say its own time. */
  readonly now: number;
  /** The service that we want, such as `HTTP/erp.example.com`. */
  readonly target: string;
}

/** NEGOTIATE_MESSAGE (2.2.1.1). */
export function renderNegotiate(): Buffer {
  const message = Buffer.alloc(32);
  signature.copy(message);
  message.writeUInt32LE(1, 8);
  message.writeUInt32LE(wantedFlags >>> 0, 12);
  // Domain and workstation are not said before we know whom we speak to; their fields are empty.
  message.writeUInt32LE(32, 20);
  message.writeUInt32LE(32, 28);
  return message;
}

/** CHALLENGE_MESSAGE (2.2.1.2). Throws an Error that says what is wrong with it. */
export function parseChallenge(message: Buffer): Challenge {
  if (message.length < 32 || !message.subarray(0, 8).equals(signature)) {
    throw new Error("the challenge is no NTLM message");
  }
  if (message.readUInt32LE(8) !== 2) throw new Error("the challenge is another NTLM message");
  const flags = message.readUInt32LE(20);
  if ((flags & flag.unicode) === 0) throw new Error("the server does not know Unicode");
  const info = message.length >= 48 ? field(message, 40) : Buffer.alloc(0);
  return {
    message,
    flags,
    serverChallenge: message.subarray(24, 32),
    targetInfo: parseAvPairs(info),
  };
}

/** AUTHENTICATE_MESSAGE (2.2.1.3) with NTLMv2 responses, and a MIC where the server wants one. */
export function renderAuthenticate(
  challenge: Challenge,
  account: Account,
  options: AnswerOptions,
): Buffer {
  const { serverChallenge, flags } = challenge;
  const serverTime = challenge.targetInfo.find(({ id }) => id === avId.timestamp)?.value;
  const hasMic = serverTime !== undefined;
  const responses = renderResponses(account, {
    serverChallenge,
    clientChallenge: options.clientChallenge,
    time: serverTime ?? fileTime(options.now),
    targetInfo: renderAvPairs(
      hasMic ? withMicFlag(challenge.targetInfo, options.target) : challenge.targetInfo,
    ),
    hasServerTime: hasMic,
  });
  const texts = [account.domain, account.username, account.workstation].map(utf16);
  const payload = [responses.lm, responses.nt, ...texts, Buffer.alloc(0)];
  const head = Buffer.alloc(88);
  signature.copy(head);
  head.writeUInt32LE(3, 8);
  let offset = head.length;
  for (const [index, part] of payload.entries()) {
    const at = 12 + index * 8;
    head.writeUInt16LE(part.length, at);
    head.writeUInt16LE(part.length, at + 2);
    head.writeUInt32LE(offset, at + 4);
    offset += part.length;
  }
  // No more than both sides know; one character set is chosen.
  head.writeUInt32LE((flags & wantedFlags & ~flag.oem) >>> 0, 60);
  const message = Buffer.concat([head, ...payload]);
  if (hasMic) {
    const mic = hmacMd5(responses.sessionKey, options.negotiate, challenge.message, message);
    mic.copy(message, 72);
  }
  return message;
}

export interface ResponseFacts {
  readonly serverChallenge: Buffer;
  readonly clientChallenge: Buffer;
  /** 8 bytes, FILETIME. */
  readonly time: Buffer;
  readonly targetInfo: Buffer;
  /** The LM response is then empty (3.1.5.1.2). */
  readonly hasServerTime: boolean;
}

export interface Responses {
  readonly lm: Buffer;
  readonly nt: Buffer;
  readonly sessionKey: Buffer;
}

/** ComputeResponse of NTLMv2 (3.3.2). */
export function renderResponses(
  { username, password, domain }: Account,
  { serverChallenge, clientChallenge, time, targetInfo, hasServerTime }: ResponseFacts,
): Responses {
  const passwordHash = md4(utf16(password));
  const key = hmacMd5(passwordHash, utf16(username.toUpperCase() + domain));
  const version = Buffer.from([1, 1, 0, 0, 0, 0, 0, 0]);
  const zeros = Buffer.alloc(4);
  const temp = Buffer.concat([version, time, clientChallenge, zeros, targetInfo, zeros]);
  const proof = hmacMd5(key, serverChallenge, temp);
  const lm = hasServerTime
    ? Buffer.alloc(24)
    : Buffer.concat([hmacMd5(key, serverChallenge, clientChallenge), clientChallenge]);
  return { lm, nt: Buffer.concat([proof, temp]), sessionKey: hmacMd5(key, proof) };
}

/** Says that a MIC is there (2.2.2.1), and whom the answer is meant for. */
function withMicFlag(pairs: readonly AvPair[], target: string): AvPair[] {
  const before = pairs.find(({ id }) => id === avId.flags)?.value;
  const value = Buffer.alloc(4);
  value.writeUInt32LE(((before?.length === 4 ? before.readUInt32LE() : 0) | 2) >>> 0);
  const others = pairs.filter(({ id }) => id !== avId.flags && id !== avId.targetName);
  return [...others, { id: avId.flags, value }, { id: avId.targetName, value: utf16(target) }];
}

function field(message: Buffer, at: number): Buffer {
  const length = message.readUInt16LE(at);
  const offset = message.readUInt32LE(at + 4);
  if (offset + length > message.length) throw new Error("the challenge is cut off");
  return message.subarray(offset, offset + length);
}

/** Tenths of microseconds since 1601. */
function fileTime(now: number): Buffer {
  const time = Buffer.alloc(8);
  time.writeBigUInt64LE((BigInt(Math.floor(now)) + 11_644_473_600_000n) * 10_000n);
  return time;
}

function hmacMd5(key: Buffer, ...parts: readonly Buffer[]): Buffer {
  const hmac = createHmac("md5", key);
  for (const part of parts) hmac.update(part);
  return hmac.digest();
}

function utf16(text: string): Buffer {
  return Buffer.from(text, "utf16le");
}

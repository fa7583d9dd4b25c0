import md4 from "js-md4";
import { createHmac, randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";

// MS-NLMP from the server's side, written from the specification alone and shared with nothing that
// it tests: what it accepts is what Windows accepts.

/** One request that got through. */
export interface NtlmRequest {
  readonly method: string;
  readonly url: string;
  readonly user: string;
  readonly domain: string;
  readonly workstation: string;
  readonly body: string;
  readonly hasMic: boolean;
}

export interface NtlmServerOptions {
  /** Accounts: name -> password. */
  readonly accounts: Readonly<Record<string, string>>;
  /** Says its own time in the challenge, so that clients must sign. Default true. */
  readonly saysTime?: boolean;
}

/** Everything a connection has gone through. */
interface Handshake {
  negotiate: Buffer;
  challenge: Buffer;
  serverChallenge: Buffer;
}

/** An HTTP server that lets in whoever authenticates the connection by NTLMv2. */
export class NtlmServer implements AsyncDisposable {
  /** Requests that got through. */
  readonly requests: NtlmRequest[] = [];
  /** Requests of any kind, with the length of what each carried. */
  readonly seen: { readonly authorization: boolean; readonly bytes: number }[] = [];
  connections = 0;
  readonly url: string;
  readonly #server: Server;
  readonly #options: NtlmServerOptions;
  readonly #handshakes = new WeakMap<Socket, Handshake>();

  private constructor(server: Server, options: NtlmServerOptions) {
    this.#server = server;
    this.#options = options;
    // A server that listens on TCP has such an address.
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async start(options: NtlmServerOptions): Promise<NtlmServer> {
    const server = createServer((request, response) => void ntlm.#answer(request, response));
    server.on("connection", () => ntlm.connections++);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const ntlm = new NtlmServer(server, options);
    return ntlm;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(Buffer.from(chunk));
    const body = Buffer.concat(chunks);
    const { authorization } = request.headers;
    this.seen.push({ authorization: authorization !== undefined, bytes: body.length });
    const message = /^NTLM (.+)$/.exec(authorization ?? "")?.[1];
    const bytes = Buffer.from(message ?? "", "base64");
    const type = bytes.length >= 12 ? bytes.readUInt32LE(8) : 0;
    if (type === 1) return this.#challenge(request.socket, bytes, response);
    const user = type === 3 ? this.#verify(request.socket, bytes) : undefined;
    if (user === undefined) {
      response.writeHead(401, { "WWW-Authenticate": "NTLM" }).end("refused");
      return;
    }
    const { method = "", url = "" } = request;
    this.requests.push({ ...user, method, url, body: body.toString() });
    response.writeHead(200, { "Content-Type": "text/plain", "X-User": user.user });
    response.end(`hello ${user.user}`);
  }

  #challenge(socket: Socket, negotiate: Buffer, response: ServerResponse): void {
    const serverChallenge = randomBytes(8);
    const pairs = [avPair(2, utf16("EXAMPLE")), avPair(1, utf16("ERP"))];
    if (this.#options.saysTime ?? true) {
      const time = Buffer.alloc(8);
      time.writeBigUInt64LE((BigInt(Date.now()) + 11_644_473_600_000n) * 10_000n);
      pairs.push(avPair(7, time));
    }
    const info = Buffer.concat([...pairs, Buffer.alloc(4)]);
    const target = utf16("EXAMPLE");
    const head = Buffer.alloc(56);
    head.write("NTLMSSP\0", "latin1");
    head.writeUInt32LE(2, 8);
    writeField(head, 12, target.length, 56);
    // Unicode, target type domain, NTLM, always sign, extended session security, target info, 128.
    head.writeUInt32LE(
      (0x1 | 0x200 | 0x8000 | 0x1_0000 | 0x8_0000 | 0x80_0000 | 0x2000_0000) >>> 0,
      20,
    );
    serverChallenge.copy(head, 24);
    writeField(head, 40, info.length, 56 + target.length);
    const challenge = Buffer.concat([head, target, info]);
    this.#handshakes.set(socket, { negotiate, challenge, serverChallenge });
    const encoded = challenge.toString("base64");
    response.writeHead(401, { "WWW-Authenticate": `NTLM ${encoded}` }).end("who are you?");
  }

  #verify(
    socket: Socket,
    message: Buffer,
  ): Omit<NtlmRequest, "method" | "url" | "body"> | undefined {
    const handshake = this.#handshakes.get(socket);
    if (handshake === undefined) return undefined; // another connection than the challenge's
    this.#handshakes.delete(socket);
    const text = (at: number) => readField(message, at).toString("utf16le");
    const [nt, domain, user, workstation] = [readField(message, 20), text(28), text(36), text(44)];
    const password = this.#options.accounts[user];
    if (password === undefined || nt.length < 44) return undefined;
    const hash = Buffer.from(md4Of(utf16(password)));
    const key = hmac(hash, utf16(user.toUpperCase() + domain));
    const proof = hmac(key, Buffer.concat([handshake.serverChallenge, nt.subarray(16)]));
    if (!proof.equals(nt.subarray(0, 16))) return undefined;
    const hasMic = saysMic(nt.subarray(16 + 28));
    if (hasMic) {
      const unsigned = Buffer.from(message);
      unsigned.fill(0, 72, 88);
      const { negotiate, challenge } = handshake;
      const mic = hmac(hmac(key, proof), Buffer.concat([negotiate, challenge, unsigned]));
      if (!mic.equals(message.subarray(72, 88))) return undefined;
    }
    return { user, domain, workstation, hasMic };
  }
}

/** True when the flags among the pairs say that the message is signed. */
function saysMic(pairs: Buffer): boolean {
  for (let at = 0; at + 4 <= pairs.length;) {
    const [id, length] = [pairs.readUInt16LE(at), pairs.readUInt16LE(at + 2)];
    if (id === 0) return false;
    if (id === 6) return (pairs.readUInt32LE(at + 4) & 2) !== 0;
    at += 4 + length;
  }
  return false;
}

function avPair(id: number, value: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt16LE(id);
  head.writeUInt16LE(value.length, 2);
  return Buffer.concat([head, value]);
}

function readField(message: Buffer, at: number): Buffer {
  const offset = message.readUInt32LE(at + 4);
  return message.subarray(offset, offset + message.readUInt16LE(at));
}

function writeField(head: Buffer, at: number, length: number, offset: number): void {
  head.writeUInt16LE(length, at);
  head.writeUInt16LE(length, at + 2);
  head.writeUInt32LE(offset, at + 4);
}

function hmac(key: Buffer, data: Buffer): Buffer {
  return createHmac("md5", key).update(data).digest();
}

function utf16(text: string): Buffer {
  return Buffer.from(text, "utf16le");
}

function md4Of(bytes: Buffer): number[] {
  // The package's own types do not say what its functions take.
  return (md4 as unknown as { array(bytes: Uint8Array): number[] }).array(bytes);
}

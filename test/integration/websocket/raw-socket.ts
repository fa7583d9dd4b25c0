import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** A handshake that can be as wrong as it likes; resolves to the status of its answer. */
export async function handshakeStatus(
  port: number,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<number> {
  using raw = await RawSocket.connect(port, path, headers);
  return raw.status;
}

const usual = {
  Upgrade: "websocket",
  Connection: "Upgrade",
  "Sec-WebSocket-Version": "13",
  "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
};

export interface FrameOptions {
  readonly opcode?: number;
  readonly isFinal?: boolean;
  readonly isMasked?: boolean;
  /** What the frame says of its length; default: the truth. */
  readonly length?: bigint;
}

/** A WebSocket client that keeps to no rules. */
export class RawSocket implements Disposable {
  readonly socket: Socket;
  readonly status: number;
  /** Resolves when the server has closed the connection. */
  readonly ended: Promise<void>;

  private constructor(socket: Socket, status: number) {
    this.socket = socket;
    this.status = status;
    this.ended = new Promise((resolve) => socket.once("close", () => resolve()));
  }

  static async connect(
    port: number,
    path: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<RawSocket> {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => {}); // being cut off is what these tests are about
    const lines = Object.entries({ ...usual, ...headers }).filter(([, value]) => value !== "")
      .map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${lines.join("")}\r\n`);
    const [head] = await once(socket, "data") as [Buffer];
    const status = Number(/^HTTP\/1\.1 (\d+)/.exec(head.toString("latin1"))?.[1]);
    return new RawSocket(socket, status);
  }

  frame(payload: Buffer | string, options: FrameOptions = {}): Promise<void> {
    return this.write(renderFrame(Buffer.from(payload), options));
  }

  /** Resolves when the bytes are on their way, or nobody takes them any more. */
  async write(bytes: Buffer): Promise<void> {
    if (this.socket.destroyed || this.socket.write(bytes)) return;
    await Promise.race([once(this.socket, "drain").catch(() => {}), this.ended]);
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}

function renderFrame(
  payload: Buffer,
  { opcode = 1, isFinal = true, isMasked = true, length = BigInt(payload.length) }: FrameOptions,
): Buffer {
  const head = Buffer.alloc(10);
  head[0] = (isFinal ? 0x80 : 0) | opcode;
  head[1] = (isMasked ? 0x80 : 0) | 127;
  head.writeBigUInt64BE(length, 2);
  // A mask of zeros leaves the payload as it is.
  return Buffer.concat(isMasked ? [head, Buffer.alloc(4), payload] : [head, payload]);
}

import { connect } from "node:net";

/** What came back on the wire. */
export interface RawAnswer {
  /** 0 when the peer closed without an answer. */
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/** Sends bytes as they are and reads one answer; for requests that no client would send. */
export function sendRaw(port: number, text: string | Uint8Array): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(text));
    const chunks: Buffer[] = [];
    const finish = () => {
      const [head = "", ...rest] = Buffer.concat(chunks).toString().split("\r\n\r\n");
      resolve({
        status: Number(/^HTTP\/1\.[01] (\d+)/.exec(head)?.[1] ?? 0),
        head,
        body: rest.join("\r\n\r\n"),
      });
    };
    socket.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      const bytes = Buffer.concat(chunks);
      const end = bytes.indexOf("\r\n\r\n");
      const head = bytes.subarray(0, Math.max(end, 0)).toString();
      const length = /content-length: (\d+)/i.exec(head)?.[1];
      if (end >= 0 && length !== undefined && bytes.length >= end + 4 + Number(length)) {
        socket.destroy();
        finish();
      }
    });
    socket.on("end", () => {
      socket.destroy();
      finish();
    });
    // An answer that never ends must not hold up whoever asks for it.
    socket.setTimeout(20_000, () => {
      socket.destroy();
      finish();
    });
    socket.on("error", reject);
  });
}

/** A request with a `Host` header. */
export function rawRequest(
  line: string,
  headers: readonly string[] = [],
  body = "",
): string {
  const length = body === "" ? [] : [`Content-Length: ${Buffer.byteLength(body)}`];
  return [`${line} HTTP/1.1`, "Host: localhost", ...headers, ...length, "", body].join("\r\n");
}

import { createWriteStream, type WriteStream } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { LoadBalancerConfig } from "../../../config/schemas.ts";
import { writeStandardOutput } from "../../../telemetry/line-sink.ts";

/** Writes one line of JSON for each request, with the fields that HAProxy's lines have. */
export class AccessLog {
  readonly #file: string;
  #target: LoadBalancerConfig["accessLog"];
  #stream: WriteStream | undefined;

  constructor(file: string, target: LoadBalancerConfig["accessLog"]) {
    this.#file = file;
    this.#target = target;
  }

  setTarget(target: LoadBalancerConfig["accessLog"]): void {
    if (target === this.#target) return;
    this.#target = target;
    this.close();
  }

  /** Begins a request's line, written when its answer is over; to be told what answered it. */
  follow(
    request: IncomingMessage,
    response: ServerResponse,
  ): (server: string, answer: IncomingMessage) => void {
    if (this.#target === "off") return () => {};
    const begun = Date.now();
    const client = (request.socket.remoteAddress ?? "").replace(/^::ffff:/, "");
    const bytesBefore = request.socket.bytesWritten;
    let server = "<NOSRV>";
    let cid = "-";
    let serverMs = -1;
    const since = () => Date.now() - begun;
    response.once("close", () => {
      const finished = response.writableFinished;
      this.#write({
        time: begun,
        client,
        method: request.method ?? "",
        path: (request.url ?? "").split("?", 1)[0],
        status: response.headersSent ? response.statusCode : -1,
        server,
        cid,
        requestId: text(request.headers["x-request-id"]).slice(0, 64),
        totalMs: since(),
        queueMs: 0,
        connectMs: -1,
        serverMs,
        bytes: Math.max(0, request.socket.bytesWritten - bytesBefore),
        end: finished ? "--" : "CD",
      });
    });
    return (name, { headers }) => {
      server = name;
      cid = text(headers["x-dragoman-cid"]);
      serverMs = since();
    };
  }

  close(): void {
    this.#stream?.end();
    this.#stream = undefined;
  }

  #write(entry: Readonly<Record<string, unknown>>): void {
    const line = JSON.stringify(entry);
    if (this.#target === "stdout") return writeStandardOutput(line);
    if (this.#target === "off") return;
    this.#stream ??= createWriteStream(this.#file, { flags: "a", mode: 0o640 })
      .on("error", () => this.#stream = undefined); // a full disk is no reason not to serve
    this.#stream.write(`${line}\n`);
  }
}

function text(value: string | readonly string[] | undefined): string {
  return (typeof value === "object" ? value.join(",") : value) || "-"; // as HAProxy writes nothing
}

import { connect } from "node:net";
import type { Backend } from "./backend.ts";

const intervalMs = 1_000;
const timeoutMs = 1_000;
/** An answer is a line of a few bytes. */
const answerBytesMax = 64;

/**
 * Asks a server, as HAProxy's agent checks do, which share of its usual requests it can take. While
 * nobody answers the last share holds.
 */
export class WeightChecks {
  readonly #backend: Backend;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isStopped = false;

  constructor(backend: Backend) {
    this.#backend = backend;
    void this.#run();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  async #run(): Promise<void> {
    const { host, weightPort } = this.#backend;
    const share = weightPort === undefined ? 100 : await askShare(host, weightPort);
    if (this.#isStopped) return;
    if (share !== undefined) this.#backend.setShare(share);
    this.#timer = setTimeout(() => void this.#run(), intervalMs);
  }
}

/** The share in percent; undefined when there is no answer, or none that makes sense. */
function askShare(host: string, port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    let text = "";
    const finish = () => {
      clearTimeout(timer);
      socket.destroy();
      const digits = /^\s*(\d{1,3})%/.exec(text)?.[1];
      resolve(digits === undefined || Number(digits) > 100 ? undefined : Number(digits));
    };
    const timer = setTimeout(finish, timeoutMs);
    socket.on("data", (chunk: Uint8Array) => {
      text += Buffer.from(chunk).toString("latin1");
      if (text.includes("\n") || text.length > answerBytesMax) finish();
    });
    socket.once("error", finish);
    socket.once("close", finish);
  });
}

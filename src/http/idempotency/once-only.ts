import { createHash } from "node:crypto";
import { PlatformError } from "../../errors/platform-error.ts";
import type { KeptAnswer, KeyStanding } from "../../odb/idempotency-types.ts";
import type { Exchange } from "../exchange.ts";
import { keyId, parseKey } from "./key.ts";
import type { KeyLedger, PatientClaim } from "./key-ledger.ts";
import { keepAnswer } from "./kept-answer.ts";

/** A client is told that the other one goes on so long before its time is over. */
const marginMs = 200;
const retryAfterMs = 1_000;

/** Ends a request whose answer is there already. */
export class AnsweredBefore extends Error {
  readonly answer: KeptAnswer;

  constructor(answer: KeptAnswer) {
    super("The request was answered before");
    this.answer = answer;
  }
}

/**
 * Sees to it that of all requests with one idempotency key, wherever in the cluster they come in,
 * at most one is executed. The endpoint calls `begin` right before it calls the service, `settle`
 * is called with the answer before that is sent.
 */
export class OnceOnly {
  readonly #exchange: Exchange;
  readonly #ledger: KeyLedger;
  readonly #header: string | null;
  readonly #body = createHash("sha256");
  #id: string | undefined;

  /** `header`: as it came; null where the channel wants one and there is none. */
  constructor(exchange: Exchange, ledger: KeyLedger, header: string | null) {
    this.#exchange = exchange;
    this.#ledger = ledger;
    this.#header = header;
  }

  /**
   * True from its beginning until its answer is kept: its service goes on although the client may
   * have gone, because whoever sends the request again gets that answer.
   */
  get isHeld(): boolean {
    return this.#id !== undefined;
  }

  /** Adds to what equal requests have in common. */
  compare(body: Uint8Array | string): void {
    this.#body.update(body);
  }

  /**
   * Takes the key for this request; waits while another one with the key is being executed.
   * Rejects with AnsweredBefore, REQUEST_KEY_MISSING, REQUEST_KEY_INVALID, REQUEST_KEY_REUSED,
   * REQUEST_KEY_RUNNING, REQUEST_KEY_UNKNOWN, REQUEST_KEY_UNAVAILABLE and REQUEST_ABANDONED; then
   * the service must not be called.
   */
  async begin(): Promise<void> {
    const { channel, keys } = this.#exchange.route!; // endpoints are reached by a route
    if (this.#header === null) throw new PlatformError("REQUEST_KEY_MISSING");
    const id = keyId(channel, this.#exchange.principal, parseKey(this.#header));
    const fingerprint = this.#fingerprint();
    const repeatUnknown = keys?.repeatUnknown ?? false;
    const waitMs = Math.max(0, this.#exchange.remaining() - marginMs);
    const standing = await this.#claim({ id, fingerprint, repeatUnknown, waitMs });
    if (standing.state !== "ours") throw endOf(standing);
    const isWaitedFor = this.#exchange.remaining() > 0 && !this.#exchange.web.signal.aborted;
    this.#id = id;
    // It need not begin, and is given back.
    if (!isWaitedFor) throw new PlatformError("REQUEST_ABANDONED");
  }

  /** Keeps the answer, or gives the key back when the service was not run. Never rejects. */
  async settle(answer: Response): Promise<Response> {
    if (this.#id === undefined) return answer;
    const { cid, hasRun, isStreaming, runtime } = this.#exchange;
    const proof = { id: this.#id, cid };
    this.#id = undefined;
    let response = answer;
    try {
      if (!hasRun) await this.#ledger.release(proof);
      else {
        const pair = await keepAnswer(answer, isStreaming);
        response = pair.response;
        await this.#ledger.settle({ ...proof, answer: pair.kept });
      }
    } catch (error) {
      // What was done is done, and its client is told so all the same.
      runtime.logger.warn("The answer to a request with a key could not be kept", { cid, error });
    }
    return response;
  }

  #fingerprint(): string {
    const { web, path, queryText } = this.#exchange;
    const head = JSON.stringify([web.method, path, queryText]);
    return createHash("sha256").update(head).update(this.#body.digest()).digest("hex");
  }

  async #claim(claim: Omit<PatientClaim, "cid">): Promise<KeyStanding> {
    try {
      return await this.#ledger.claim({ ...claim, cid: this.#exchange.cid });
    } catch (cause) {
      throw new PlatformError("REQUEST_KEY_UNAVAILABLE", {}, { cause, retryAfterMs });
    }
  }
}

function endOf(standing: KeyStanding): Error {
  switch (standing.state) {
    case "running":
      return new PlatformError("REQUEST_KEY_RUNNING", {}, { retryAfterMs });
    case "done":
      return new AnsweredBefore(standing.answer);
    case "unknown":
      return new PlatformError("REQUEST_KEY_UNKNOWN", { cid: standing.cid });
  }
  return new PlatformError("REQUEST_KEY_REUSED");
}

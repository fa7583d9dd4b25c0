import { PlatformError } from "../../errors/platform-error.ts";
import { PendingAnswers } from "../../lib/pending-answers.ts";
import type { ReplyMessage, RequestMessage, Requests } from "./protocol.ts";

/** A worker's way to ask its supervisor for something. */
export class SupervisorLink {
  readonly #send: (message: RequestMessage) => void;
  readonly #pending = new PendingAnswers<unknown>();
  #isAbandoned = false;

  constructor(send: (message: RequestMessage) => void) {
    this.#send = send;
  }

  /** Rejects with the error that the supervisor answers, and with SERVER_SUPERVISOR_LOST. */
  request<T extends keyof Requests>(
    topic: T,
    body: Requests[T]["body"],
  ): Promise<Requests[T]["reply"]> {
    if (this.#isAbandoned) return Promise.reject(supervisorGone());
    const { id, answer } = this.#pending.open();
    this.#send({ type: "request", id, topic, body });
    return answer as Promise<Requests[T]["reply"]>; // the topic says what the reply is
  }

  /** The supervisor has gone: whatever was asked, or is asked from now on, is answered by nobody. */
  abandon(): void {
    this.#isAbandoned = true;
    this.#pending.abandon(supervisorGone);
  }

  /** Takes the supervisor's answer. */
  settle({ id, reply, error }: ReplyMessage): void {
    if (error === undefined) this.#pending.resolve(id, reply);
    else this.#pending.reject(id, PlatformError.fromJson(error));
  }
}

function supervisorGone(): PlatformError {
  return new PlatformError("SERVER_SUPERVISOR_LOST");
}

import type { ChildProcess } from "node:child_process";
import type { StoredObject } from "../../catalog/kind.ts";
import { isPlatformError, PlatformError } from "../../errors/platform-error.ts";
import { PendingAnswers } from "../../lib/pending-answers.ts";
import { forkWorker } from "../worker/fork.ts";
import type {
  AskMessage,
  BundleFile,
  ConfiguredMessage,
  FromWorker,
  HeartbeatMessage,
  InitMessage,
  InvokeMessage,
  Questions,
  RequestMessage,
  ToWorker,
} from "../worker/protocol.ts";

/** A desired state with its bundles on this server's disk. */
export interface RunnableState {
  readonly revision: number;
  readonly objects: readonly StoredObject[];
  readonly bundles: readonly BundleFile[];
}

/** What a service answered to an operator. */
export interface ServiceResult {
  readonly output: unknown;
  readonly durationMs: number;
}

/** Does what a worker asks for; rejects with a PlatformError where it cannot. */
export type RequestHandler = (
  request: Omit<RequestMessage, "type" | "id">,
  asker: Pick<WorkerProcess, "exited">,
) => Promise<unknown>;

export interface WorkerExit {
  readonly code: number | null;
  readonly signal: string | null;
}

/**
 * One worker process as its supervisor sees it:
 * `starting` (forked) -> `up` (its first state is live, it listens) -> `draining` -> gone.
 */
export class WorkerProcess {
  readonly exited: Promise<WorkerExit>;
  readonly startedAt: Date = new Date();
  readonly #child: ChildProcess;
  #init: InitMessage;
  #isInitSent = false;
  readonly #booted: Promise<void>;
  readonly #closed = Promise.withResolvers<void>();
  readonly #invocations = new PendingAnswers<ServiceResult>();
  readonly #questions = new PendingAnswers<unknown>();
  readonly #onRequest: RequestHandler;
  readonly #waiting: ((message: ConfiguredMessage | undefined) => void)[] = [];
  readonly #sent = new Map<string, string>();
  #phase: "starting" | "up" | "draining" = "starting";
  #configured: ConfiguredMessage | undefined;
  #heartbeat: HeartbeatMessage | undefined;
  #heardAt = performance.now();

  constructor(init: InitMessage, onRequest: RequestHandler) {
    this.#init = init;
    this.#onRequest = onRequest;
    this.#child = forkWorker(["ignore", "inherit", "inherit", "ipc"]);
    this.exited = new Promise((resolve) => {
      this.#child.once("exit", (code, signal) => resolve({ code, signal }));
      this.#child.once("error", () => resolve({ code: null, signal: null }));
    });
    this.#booted = new Promise((resolve) => {
      this.#child.on("message", (message: FromWorker) => this.#receive(message, resolve));
    });
    void this.exited.then(() => this.#abandon());
  }

  /** The number of its place. */
  get id(): number {
    return this.#init.workerId;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get phase(): "starting" | "up" | "draining" {
    return this.#phase;
  }

  /** What it said when it last took a state; undefined before the first. */
  get configured(): ConfiguredMessage | undefined {
    return this.#configured;
  }

  get heartbeat(): HeartbeatMessage | undefined {
    return this.#heartbeat;
  }

  /** How long nothing was heard of it. */
  get silentMs(): number {
    return performance.now() - this.#heardAt;
  }

  /** Resolves when it can be configured, or has ended. */
  async booted(): Promise<void> {
    await Promise.race([this.#booted, this.exited]);
  }

  /**
   * Sends the difference to what this worker has and resolves when it runs the state; undefined
   * when it ended before. Calls must not overlap: the pool takes care of that.
   */
  async configure(state: RunnableState): Promise<ConfiguredMessage | undefined> {
    if (this.#sent.size === 0 && this.#configured === undefined) {
      await this.booted();
      this.#send(this.#init);
      this.#isInitSent = true;
    }
    const wanted = new Map(state.objects.map((object) => [keyOf(object), versionOf(object)]));
    const upserted = state.objects.filter((object) =>
      this.#sent.get(keyOf(object)) !== versionOf(object)
    );
    const removed = [...this.#sent.keys()].filter((key) => !wanted.has(key)).map((key) => {
      const slash = key.indexOf("/");
      return { kind: key.slice(0, slash), name: key.slice(slash + 1) };
    });
    const answer = new Promise<ConfiguredMessage | undefined>((resolve) => {
      this.#waiting.push(resolve);
    });
    const { revision, bundles } = state;
    this.#send({ type: "configure", revision, upserted, removed, bundles });
    this.#sent.clear();
    for (const [key, version] of wanted) this.#sent.set(key, version);
    const result = await Promise.race([answer, this.exited.then(() => undefined)]);
    if (result !== undefined && this.#phase === "starting") this.#phase = "up";
    return result;
  }

  /**
   * Runs a service and resolves with its output; rejects with the error it ended with, and with
   * SERVICE_CANCELLED soon after `signal` was aborted.
   */
  async invoke(
    request: Omit<InvokeMessage, "type" | "id">,
    signal?: AbortSignal,
  ): Promise<ServiceResult> {
    const { id, answer } = this.#invocations.open();
    this.#send({ type: "invoke", id, ...request });
    const onAbort = () => this.#send({ type: "abort", id });
    if (signal?.aborted === true) onAbort();
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      return await answer;
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
  }

  /** Asks it something; rejects with the error it answers, and with SERVER_WORKER_LOST. */
  ask<T extends keyof Questions>(
    topic: T,
    question: Questions[T]["question"],
  ): Promise<Questions[T]["answer"]> {
    const { id, answer } = this.#questions.open();
    this.#send({ type: "ask", id, topic, question } satisfies AskMessage);
    return answer as Promise<Questions[T]["answer"]>; // the topic says what the answer is
  }

  /** Passes on what another worker pushes to clients of WebSocket channels. */
  push(text: string): void {
    this.#send({ type: "push", text });
  }

  /** Tells it the keys of the cluster's balancers. */
  useHopKeys(keys: readonly string[]): void {
    this.#init = { ...this.#init, hopKeys: keys };
    if (this.#isInitSent) this.#send({ type: "hopKeys", keys });
  }

  /** Resolves when no request can reach it any more, because it drains or has ended. */
  async closed(): Promise<void> {
    await Promise.race([this.#closed.promise, this.exited]);
  }

  /**
   * Lets it finish what it has, for at most `timeoutMs`; it is gone when this resolves. With
   * `isHandover` another worker listens at the same port, and balancers notice nothing.
   */
  async drain(timeoutMs: number, { isHandover = false } = {}): Promise<void> {
    this.#phase = "draining";
    this.#send({ type: "drain", timeoutMs, isHandover });
    // It ends by itself in time; a worker that cannot even do that is ended.
    const timer = setTimeout(() => this.kill(), timeoutMs + 2_000);
    await this.exited;
    clearTimeout(timer);
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  #send(message: ToWorker): void {
    // A channel that closed means the process is ending; `exited` tells everyone who waits.
    if (this.#child.connected) this.#child.send(message, () => {});
  }

  #receive(message: FromWorker, booted: () => void): void {
    this.#heardAt = performance.now();
    switch (message.type) {
      case "booted":
        booted();
        break;
      case "configured":
        this.#configured = message;
        this.#waiting.shift()?.(message);
        break;
      case "heartbeat":
        this.#heartbeat = message;
        break;
      case "invoked": {
        const { id, output, error, durationMs } = message;
        if (error === undefined) this.#invocations.resolve(id, { output, durationMs });
        else this.#invocations.reject(id, PlatformError.fromJson(error));
        break;
      }
      case "answered":
        if (message.error === undefined) this.#questions.resolve(message.id, message.answer);
        else this.#questions.reject(message.id, PlatformError.fromJson(message.error));
        break;
      case "request":
        void this.#fulfil(message);
        break;
      case "closed":
        this.#closed.resolve();
        break;
      case "drained":
        break;
    }
  }

  async #fulfil({ id, topic, body }: RequestMessage): Promise<void> {
    try {
      this.#send({ type: "reply", id, reply: await this.#onRequest({ topic, body }, this) });
    } catch (error) {
      const known = isPlatformError(error) ? error : new PlatformError("INTERNAL");
      this.#send({ type: "reply", id, error: known.toJSON() });
    }
  }

  #abandon(): void {
    for (const resolve of this.#waiting.splice(0)) resolve(undefined);
    for (const pending of [this.#invocations, this.#questions]) {
      pending.abandon(() => new PlatformError("SERVER_WORKER_LOST"));
    }
  }
}

function keyOf({ kind, name }: StoredObject): string {
  return `${kind}/${name}`;
}

// An object that was deleted and made again may have the same revision, but not the same time.
function versionOf({ revision, updatedAt }: StoredObject): string {
  return `${revision}@${updatedAt}`;
}

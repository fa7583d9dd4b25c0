import { PlatformError } from "../../errors/platform-error.ts";
import type { Deadline, Deadlines, Expirable } from "../../http/deadlines.ts";
import type { Principal } from "../../security/principal.ts";
import type {
  Call,
  ChannelInfo,
  RunnableService,
  ServiceRequest,
  ServiceResponse,
  ServiceRuntime,
} from "../../service/call.ts";
import { runService, validate } from "../../service/run-service.ts";
import { describeIssues } from "../../service/schema.ts";
import { serviceFailure } from "../../service/service-failure.ts";

/** What is known of a connection since its handshake. */
export interface HandshakeFacts {
  readonly channel: ChannelInfo;
  /** Still percent-encoded. */
  readonly path: string;
  readonly params: Readonly<Record<string, string>>;
  /** Without credentials. */
  readonly queryText: string;
  readonly headers: Headers;
  readonly remoteAddress: string;
}

/** Who and what a call comes from. */
export interface CallOrigin {
  readonly connection: string;
  readonly principal: Principal | undefined;
  readonly facts: HandshakeFacts;
  /** The message as it came; undefined where the service does not ask for it. */
  readonly text: string | undefined;
}

export interface MessageCallOptions {
  readonly cid: string;
  readonly origin: CallOrigin;
  readonly runtime: ServiceRuntime;
  readonly timeoutMs: number;
  readonly deadlines: Deadlines;
}

/** One call of a service over a connection: its deadline begins with it. */
export class MessageCall implements Call, Expirable {
  readonly startedAt: number = performance.now();
  readonly cid: string;
  readonly runtime: ServiceRuntime;
  /** Why it was over before its service had answered. */
  expired: PlatformError | undefined;
  readonly #options: MessageCallOptions;
  readonly #deadline: Deadline;
  readonly #over = Promise.withResolvers<never>();
  #request: ServiceRequest | undefined;
  #response: ServiceResponse | undefined;
  #abort: AbortController | undefined;
  #endedBy: unknown;

  constructor(options: MessageCallOptions) {
    this.#options = options;
    this.cid = options.cid;
    this.runtime = options.runtime;
    this.#deadline = options.deadlines.start(this.startedAt, this);
    this.#over.promise.catch(() => {}); // it may end when nobody waits
  }

  get request(): ServiceRequest {
    return this.#request ??= new MessageRequest(this.cid, this.#options.origin);
  }

  /** There is no head to an answer: what services set is not sent. */
  get response(): ServiceResponse {
    return this.#response ??= { status: 0, headers: new Headers() };
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#endedBy !== undefined) this.#abort.abort(this.#endedBy);
    }
    return this.#abort.signal;
  }

  get limitMs(): number {
    return this.#options.timeoutMs;
  }

  remaining(): number {
    return Math.max(0, this.startedAt + this.limitMs - performance.now());
  }

  /**
   * Validation, service, check of the output. Rejects with REQUEST_INPUT_INVALID, REQUEST_TIMEOUT
   * when the time is over first, what `abandon` was given, and what `serviceFailure` makes of the
   * service's own error. To be called once.
   */
  async run(runnable: RunnableService, input: unknown): Promise<unknown> {
    try {
      return await Promise.race([this.#run(runnable, input), this.#over.promise]);
    } finally {
      this.#deadline.cancel();
    }
  }

  /** Nobody waits for the answer any more. */
  abandon(reason: Error): void {
    this.#end(reason);
  }

  /** Called by the deadline. */
  expire(): void {
    this.expired = new PlatformError("REQUEST_TIMEOUT", { timeoutMs: this.limitMs });
    this.#end(this.expired);
  }

  #end(reason: Error): void {
    this.#endedBy ??= reason;
    this.#abort?.abort(reason);
    this.#over.reject(reason);
  }

  async #run(runnable: RunnableService, input: unknown): Promise<unknown> {
    const checked = await validate(runnable.service.input, input);
    if (checked.issues !== undefined) {
      const errors = describeIssues(checked.issues);
      throw new PlatformError("REQUEST_INPUT_INVALID", {}, { details: { errors } });
    }
    try {
      return await runService(runnable, checked.value, this);
    } catch (error) {
      throw serviceFailure(error, runnable.service.name);
    }
  }
}

/** What services see of a message: the handshake's facts, and the connection. */
class MessageRequest implements ServiceRequest {
  readonly cid: string;
  readonly #origin: CallOrigin;
  #headers: Headers | undefined;
  #query: URLSearchParams | undefined;

  constructor(cid: string, origin: CallOrigin) {
    this.cid = cid;
    this.#origin = origin;
  }

  get channel(): ChannelInfo {
    return this.#origin.facts.channel;
  }

  get principal(): Principal | undefined {
    return this.#origin.principal;
  }

  get method(): string {
    return "";
  }

  get path(): string {
    return this.#origin.facts.path;
  }

  get params(): Readonly<Record<string, string>> {
    return this.#origin.facts.params;
  }

  get query(): URLSearchParams {
    return this.#query ??= new URLSearchParams(this.#origin.facts.queryText);
  }

  // A copy, so that what one call does to them is not seen by the next.
  get headers(): Headers {
    return this.#headers ??= new Headers(this.#origin.facts.headers);
  }

  get rawBody(): Uint8Array {
    const { text } = this.#origin;
    if (text === undefined) throw new PlatformError("SERVICE_RAW_BODY");
    return Buffer.from(text);
  }

  get remoteAddress(): string {
    return this.#origin.facts.remoteAddress;
  }

  get traceparent(): string | undefined {
    return this.#origin.facts.headers.get("traceparent") ?? undefined;
  }

  get connection(): string {
    return this.#origin.connection;
  }
}

import { isPlatformError, PlatformError } from "../../errors/platform-error.ts";
import { UnwritableError } from "../../formats/format.ts";
import { writeJson } from "../../formats/json.ts";
import { createCid } from "../../http/cid.ts";
import { toProblem } from "../../http/problem.ts";
import type { Principal } from "../../security/principal.ts";
import type { RunnableService } from "../../service/call.ts";
import { isFileResponse } from "../../service/http/file-response.ts";
import { isStreamResponse } from "../../service/http/stream-response.ts";
import { isServiceError } from "../../service/service-error.ts";
import { closeCodes } from "./close-codes.ts";
import type { ConnectionHost, SocketConnection } from "./connection.ts";
import { authenticate, messageCredentials } from "./credentials.ts";
import { timeoutOf } from "./live-channel.ts";
import { answerText, type Envelope, malformed, type MessageId, parseEnvelope } from "./message.ts";
import { MessageCall } from "./message-call.ts";
import { isTopic, topicsMax } from "./topics.ts";

/** One message on its way to its answer. */
interface Turn {
  readonly cid: string;
  readonly text: string;
  readonly startedAt: number;
  id: MessageId;
  /** The service that was called, for the log. */
  service: string;
}

/** What is said over one connection: turns messages into calls, and their outcome into answers. */
export class Conversation {
  readonly #connection: SocketConnection;
  readonly #host: ConnectionHost;
  readonly #calls = new Set<MessageCall>();

  constructor(connection: SocketConnection, host: ConnectionHost) {
    this.#connection = connection;
    this.#host = host;
  }

  /** Calls in flight are given up. */
  abandon(reason: Error): void {
    for (const call of this.#calls) call.abandon(reason);
  }

  /** Asks onConnect, and says that the client is in; false when it was refused. */
  async greet(): Promise<boolean> {
    const connection = this.#connection;
    const turn = createTurn("");
    try {
      const { onConnect } = this.#host.live;
      if (onConnect !== undefined) {
        const output = await this.#call(onConnect, { connection: connection.id }, turn);
        for (const topic of topicsIn(output)) this.#host.join(connection, topic);
      }
      connection.send(JSON.stringify({ type: "connected", connection: connection.id }));
      return true;
    } catch (error) {
      this.#refuse(error, turn);
      return false;
    }
  }

  /** Takes the first message of a client that has to say who it is; false: it was refused. */
  async introduce(text: string | undefined): Promise<boolean> {
    const turn = createTurn(text);
    try {
      const { id, members } = parseEnvelope(turn.text);
      turn.id = id;
      if (members["type"] !== "authenticate") throw new PlatformError("REQUEST_UNAUTHORIZED");
      this.#connection.principal = await this.#identify(members);
      this.#record(turn, 200);
      if (id !== undefined) this.#connection.send(answerText(id, undefined));
      return true;
    } catch (error) {
      this.#refuse(error, turn);
      return false;
    }
  }

  /** Takes any other message to its answer; never rejects but for a fault of our own. */
  async take(text: string | undefined): Promise<void> {
    const turn = createTurn(text);
    try {
      if (text === undefined) throw malformed("Messages are texts, not bytes");
      const envelope = parseEnvelope(text);
      turn.id = envelope.id;
      const json = await this.#dispatch(envelope, turn);
      this.#record(turn, 200);
      if (turn.id !== undefined) this.#connection.send(answerText(turn.id, json));
    } catch (error) {
      this.#answerFailure(error, turn);
    }
  }

  #dispatch({ members }: Envelope, turn: Turn): Promise<string | undefined> {
    switch (members["type"]) {
      case undefined:
      case "request":
        return this.#request(members, turn);
      case "subscribe":
        return this.#subscribe(members["topic"], turn);
      case "unsubscribe":
        return this.#unsubscribe(members["topic"]);
      case "authenticate":
        return this.#reauthenticate(members);
      default:
        throw malformed("A type is request, subscribe, unsubscribe or authenticate");
    }
  }

  async #request(
    members: Readonly<Record<string, unknown>>,
    turn: Turn,
  ): Promise<string | undefined> {
    const runnable = this.#find(members["service"]);
    return outputJson(await this.#call(runnable, members["input"], turn), runnable.service.name);
  }

  #find(name: unknown): RunnableService {
    const { service, services } = this.#host.live;
    if (service !== undefined) {
      // The channel has chosen; a client that believes otherwise should be told.
      if (name === undefined) return service;
      throw malformed("Messages of this channel name no service");
    }
    if (typeof name !== "string" || name.length > 200) {
      throw malformed("service must name one of the channel's services");
    }
    const found = services.get(name);
    if (found === undefined) throw new PlatformError("SOCKET_SERVICE_UNKNOWN", { name });
    return found;
  }

  async #subscribe(topic: unknown, turn: Turn): Promise<undefined> {
    const connection = this.#connection;
    const { authorizeTopic } = this.#host.live;
    if (!isTopic(topic)) throw malformed("topic is a text without spaces and *");
    if (!this.#host.allowsTopic(topic)) throw new PlatformError("SOCKET_TOPIC_REFUSED");
    if (authorizeTopic !== undefined && !connection.topics.has(topic)) {
      const input = { topic, connection: connection.id };
      const answer = await this.#call(authorizeTopic, input, turn);
      if (answer === false) throw new PlatformError("SOCKET_TOPIC_REFUSED");
    }
    this.#host.join(connection, topic);
  }

  #unsubscribe(topic: unknown): Promise<undefined> {
    if (!isTopic(topic)) throw malformed("topic is a text without spaces and *");
    this.#host.leave(this.#connection, topic);
    return Promise.resolve(undefined);
  }

  /** New credentials of the same client, such as a token that replaces one about to expire. */
  async #reauthenticate(members: Readonly<Record<string, unknown>>): Promise<undefined> {
    const before = this.#connection.principal;
    const now = await this.#identify(members);
    if (before === undefined || !isSame(before, now)) throw new PlatformError("REQUEST_FORBIDDEN");
    this.#connection.principal = now;
  }

  #identify(members: Readonly<Record<string, unknown>>): Promise<Principal> {
    const { admission } = this.#host.live;
    if (admission === undefined) throw malformed("This channel asks for no credentials");
    const { remoteAddress } = this.#connection.facts;
    return authenticate(admission, messageCredentials(members, remoteAddress));
  }

  async #call(runnable: RunnableService, input: unknown, turn: Turn): Promise<unknown> {
    const { live } = this.#host;
    const { id, principal, facts, deadlines } = this.#connection;
    const { inFlightMax } = live.spec;
    const { name, rawBody } = runnable.service;
    if (this.#calls.size >= inFlightMax) throw new PlatformError("SOCKET_BUSY", { inFlightMax });
    turn.service = name;
    const call = new MessageCall({
      cid: turn.cid,
      origin: { connection: id, principal, facts, text: rawBody ? turn.text : undefined },
      runtime: live.runtime,
      timeoutMs: timeoutOf(live, runnable),
      deadlines,
    });
    this.#calls.add(call);
    try {
      return await call.run(runnable, input);
    } finally {
      this.#calls.delete(call);
      if (call.expired !== undefined) live.stats.timeoutsTotal++;
    }
  }

  /** Says why, and ends the connection. */
  #refuse(error: unknown, turn: Turn): void {
    const status = this.#answerFailure(error, turn, "error");
    const isSpoken = isServiceError(error) || isPlatformError(error);
    const reason = isSpoken && status < 500 ? error.message : "The connection was refused";
    this.#connection.close(closeCodeOf(status), reason);
  }

  #answerFailure(error: unknown, turn: Turn, type?: "error"): number {
    const { id, cid, service } = turn;
    const { problem, headers, isFault } = toProblem(error, cid);
    const { logger, info: { name: channel } } = this.#host.live;
    this.#record(turn, problem.status);
    if (isFault) {
      const details = isPlatformError(error) ? error.details : undefined;
      const cause = isPlatformError(error, "SERVICE_FAILED") ? error.cause : error;
      logger.error("Request failed", { cid, channel, service, error: cause, details });
    } else logger.debug("Request refused", { cid, channel, error });
    const wait = headers["Retry-After"];
    const retry = wait === undefined ? {} : { retryAfterSeconds: Number(wait) };
    const answer = { type, id, ok: false, error: { ...problem, ...retry } };
    this.#connection.send(JSON.stringify(answer));
    return problem.status;
  }

  #record({ startedAt }: Turn, status: number): void {
    this.#host.live.stats.record(status, performance.now() - startedAt);
  }
}

function createTurn(text = ""): Turn {
  return { cid: createCid(), text, startedAt: performance.now(), id: undefined, service: "" };
}

function closeCodeOf(status: number): number {
  if (status === 401) return closeCodes.unauthorized;
  if (status === 403) return closeCodes.forbidden;
  if (status === 429 || status === 503) return closeCodes.tryLater;
  return status < 500 ? closeCodes.policy : closeCodes.internal;
}

function isSame(a: Principal, b: Principal): boolean {
  return a.kind === b.kind && a.name === b.name && a.subject === b.subject;
}

/** The topics that onConnect put a client into. */
function topicsIn(output: unknown): readonly string[] {
  if (typeof output !== "object" || output === null || !("topics" in output)) return [];
  const { topics } = output;
  return Array.isArray(topics) ? topics.filter(isTopic).slice(0, topicsMax) : [];
}

function outputJson(output: unknown, service: string): string | undefined {
  if (output === undefined) return undefined;
  try {
    const isHttp = typeof output === "object" && output !== null &&
      (isFileResponse(output) || isStreamResponse(output));
    if (isHttp) throw new UnwritableError("", "Files and streams can be sent over HTTP alone");
    return writeJson(output);
  } catch (error) {
    if (!(error instanceof UnwritableError)) throw error;
    const { pointer, message } = error;
    const reason = pointer === "" ? message : `${pointer}: ${message}`;
    throw new PlatformError("SERVICE_OUTPUT_NOT_JSON", { service, reason }, { cause: error });
  }
}

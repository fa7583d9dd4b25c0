import type { StoredObject } from "../../catalog/kind.ts";
import { isPlatformError, PlatformError, reasonOf } from "../../errors/platform-error.ts";
import { plainCopy } from "../../lib/plain-copy.ts";
import { parseClusterKey } from "../../security/cluster-key.ts";
import type { RunnableService, ServiceRuntime } from "../../service/call.ts";
import type { Facilities } from "../../service/facilities.ts";
import { invokeService } from "../../service/run-service.ts";
import { TurnQueue } from "../../service/running/turn-queue.ts";
import type { Logger } from "../../telemetry/logger.ts";
import { type HttpEngine, openHttpEngine } from "../http/engine.ts";
import { ApiDocs } from "../http/api-docs.ts";
import { Forwarders } from "../../http/forwarders.ts";
import { RateLimits } from "../../http/rate-limit/rate-limits.ts";
import { HttpFront } from "../http/front.ts";
import { Overload } from "../http/overload.ts";
import { compileRouter } from "../http/router.ts";
import { BundleSet, type Failure } from "./bundle-set.ts";
import { GenerationCompiler } from "./compile-generation.ts";
import { poll } from "../../lib/wait.ts";
import { drainTraffic } from "./drain.ts";
import { FacilitySource } from "./facilities/facility-source.ts";
import { runOperatorCall } from "./operator-call.ts";
import { createKeyLedger } from "./facilities/supervisor-keys.ts";
import type {
  AnsweredMessage,
  AskMessage,
  BundleFile,
  ConfiguredMessage,
  ConfigureMessage,
  HeartbeatMessage,
  InitMessage,
  InvokedMessage,
  InvokeMessage,
  Questions,
} from "./protocol.ts";
import { OutgoingConnections } from "./outgoing-connections.ts";
import { RunningState } from "./running-state.ts";
import type { SupervisorLink } from "./supervisor-link.ts";
import { ServiceSet } from "./service-set.ts";
import { ServiceSlots } from "./service-slots.ts";
import { StallWatchdog } from "./stall-watchdog.ts";
import { ThreadPool } from "./threads/thread-pool.ts";

/** For `onStop` when the drain has used up all of its own time. */
const stopMinMs = 500;

/** What the process lends its data plane. */
export interface WorkerTies {
  readonly logger: Logger;
  readonly link: SupervisorLink;
}

/**
 * The data plane of one process: init -> configure (any number, one after the other) -> drain.
 * It listens after its first configure. It knows nothing of how messages reach it.
 */
export class Worker {
  readonly #init: InitMessage;
  readonly #logger: Logger;
  readonly #slots = new ServiceSlots();
  readonly #turns = new TurnQueue(this.#slots);
  readonly #watchdog: StallWatchdog;
  readonly #bundles = new BundleSet();
  readonly #services = new ServiceSet(this.#slots);
  readonly #threads = new ThreadPool();
  readonly #objects = new Map<string, StoredObject>();
  readonly #invocations = new Map<number, AbortController>();
  readonly #outgoing: OutgoingConnections;
  readonly #facilities: FacilitySource;
  readonly #compiler: GenerationCompiler;
  readonly #forwarders: Forwarders;
  readonly #overload: Overload;
  readonly #front: HttpFront;
  readonly #running: RunningState;
  #runtime: ServiceRuntime;
  #engine: HttpEngine | undefined;

  /** Throws SECURITY_KEY_INVALID. */
  constructor(init: InitMessage, { logger, link }: WorkerTies) {
    this.#init = init;
    this.#logger = logger;
    const { server, cluster, limits } = init;
    const key = parseClusterKey(init.clusterKey);
    this.#running = new RunningState(key.id);
    this.#outgoing = new OutgoingConnections({ key, cluster, server, logger });
    this.#facilities = new FacilitySource({ init, key, link, logger, threads: this.#threads });
    const rates = new RateLimits({ store: this.#facilities.buckets, logger });
    const { sockets, replays } = this.#facilities;
    this.#compiler = new GenerationCompiler({ key, limits, logger, rates, sockets, replays });
    const { facilities } = this.#facilities.update([], this.#outgoing.set());
    this.#runtime = this.#createRuntime(new Map(), facilities);
    this.#forwarders = new Forwarders(init.trustedProxies);
    this.#forwarders.useKeys(init.hopKeys);
    this.#overload = new Overload(this.#turns, limits.overload, logger);
    this.#front = new HttpFront({
      generation: { router: compileRouter([]), entries: [], runtime: this.#runtime },
      logger,
      server: init.environment === "development" ? init.server : undefined,
      forwarders: this.#forwarders,
      ledger: createKeyLedger(link),
      overload: this.#overload,
      docs: init.apiDocs ? new ApiDocs({ cluster }) : undefined,
    });
    this.#watchdog = new StallWatchdog(this.#slots, {
      stallMs: init.limits.stallMs,
      context: { server: init.server, worker: init.workerId, pid: process.pid },
    });
  }

  /** Takes over a new state and says what became of it. Rejects when it cannot listen. */
  async configure(message: ConfigureMessage): Promise<ConfiguredMessage> {
    for (const { kind, name } of message.removed) this.#objects.delete(`${kind}/${name}`);
    for (const object of message.upserted) {
      this.#objects.set(`${object.kind}/${object.name}`, object);
    }
    const outgoingFailures = await this.#outgoing.update(this.#objects.values());
    const lent = this.#facilities.update(this.#objects.values(), this.#outgoing.set());
    const bundleFailures = await this.#loadBundles(message.bundles, lent.facilities);
    const called = this.#services.update(this.#bundles.services(), this.#objects.values());
    this.#watchdog.updateNames();
    this.#runtime = this.#createRuntime(called.services, lent.facilities);
    const compiled = await this.#compiler.compile(this.#objects, this.#runtime);
    this.#front.use(compiled.generation);
    this.#listen();
    void this.#bundles.stopReplaced(); // it waits for calls of the old code, and nobody for it
    const objectFailures = [
      ...outgoingFailures,
      ...lent.failures,
      ...called.failures,
      ...compiled.failures,
    ];
    const configured = this.#running.take({
      revision: message.revision,
      objects: this.#objects.values(),
      bundles: this.#bundles.keys(),
      bundleFailures,
      objectFailures,
      isWorn: this.#bundles.isWorn,
    });
    for (const { kind, name, error } of configured.failures) {
      this.#logger.error("Not brought to life", { kind, name, reason: error });
    }
    return configured;
  }

  /** Runs a service for an operator; never rejects. */
  async invoke({ id, ...call }: InvokeMessage): Promise<InvokedMessage> {
    const startedAt = performance.now();
    const durationMs = () => Math.round((performance.now() - startedAt) * 1_000) / 1_000;
    const abort = new AbortController();
    this.#invocations.set(id, abort);
    try {
      const options = { runtime: this.#runtime, cancelled: abort.signal };
      const output = plainJson(await runOperatorCall(call, options), call.service);
      return { type: "invoked", id, durationMs: durationMs(), output };
    } catch (error) {
      const { cid, service } = call;
      const through = call.channel?.kind ?? "Operator";
      this.#logger.warn("Invocation failed", { cid, service, through, error });
      const known = isPlatformError(error) ? error : new PlatformError("INTERNAL");
      return { type: "invoked", id, durationMs: durationMs(), error: known.toJSON() };
    } finally {
      this.#invocations.delete(id);
    }
  }

  /** Cancels what `invoke` runs, unless it has ended. */
  abort(id: number): void {
    this.#invocations.get(id)?.abort();
  }

  /** Answers a question of the supervisor; never rejects. */
  async answer({ id, topic, question }: AskMessage): Promise<AnsweredMessage> {
    try {
      return { type: "answered", id, answer: await this.#find(topic, question) };
    } catch (error) {
      const known = isPlatformError(error) ? error : new PlatformError("INTERNAL");
      return { type: "answered", id, error: known.toJSON() };
    }
  }

  /** Takes the keys by which balancers prove themselves from now on. */
  useHopKeys(keys: readonly string[]): void {
    this.#forwarders.useKeys(keys);
  }

  /** Takes what another worker pushes to clients of WebSocket channels. */
  takePush(text: string): void {
    this.#facilities.sockets.receive(text);
  }

  /** Figures since the last heartbeat. */
  heartbeat(): HeartbeatMessage {
    return {
      type: "heartbeat",
      requestsTotal: this.#front.requestsTotal,
      errorsTotal: this.#front.errorsTotal,
      refusedTotal: this.#overload.refusedTotal,
      inFlight: this.#front.inFlight + this.#facilities.sockets.inFlight,
      droppedTotal: this.#slots.droppedTotal,
      memoryBytes: process.memoryUsage().rss,
      eventLoopDelayMs: this.#watchdog.takeDelayMs(),
    };
  }

  /**
   * Finishes the traffic and what the supervisor has it run; resolves to the number of requests
   * that were cut off. `onClosed` is called when no more can come.
   */
  async drain(
    { timeoutMs, isHandover }: { readonly timeoutMs: number; readonly isHandover: boolean },
    onClosed: () => void,
  ): Promise<number> {
    const endsAt = performance.now() + timeoutMs;
    const traffic = {
      front: this.#front,
      engine: this.#engine,
      sockets: this.#facilities.sockets,
      onClosed,
    };
    const [abandoned] = await Promise.all([
      drainTraffic(traffic, { timeoutMs, isHandover }),
      poll(() => this.#invocations.size === 0 || undefined, { timeoutMs }),
    ]);
    await this.#bundles.stop(Math.max(stopMinMs, (endsAt - performance.now()) / 2));
    this.#threads.close();
    await this.#facilities.close();
    return abandoned;
  }

  /** A promise in user code failed and nobody waited for it. The process goes on. */
  reportUnhandled(error: unknown): void {
    const origin = this.#bundles.originOf(error);
    this.#logger.error("Unhandled rejection", { ...origin, error: asError(error) });
  }

  /** Something threw where nobody could catch it: the process is about to end. */
  reportUncaught(error: unknown): void {
    const origin = this.#bundles.originOf(error);
    this.#logger.error("Uncaught exception, ending the process", {
      ...origin,
      error: asError(error),
    });
  }

  #loadBundles(
    bundles: readonly BundleFile[],
    facilities: Facilities,
  ): Promise<readonly Failure[]> {
    const { server, cluster } = this.#init;
    return this.#bundles.update(bundles, { server, cluster, logger: this.#logger, facilities });
  }

  #listen(): void {
    if (this.#engine !== undefined) return;
    const { host, port } = this.#init.http;
    const { tls } = this.#init;
    this.#engine = openHttpEngine({ host, port, tls, handle: this.#front.handle });
    this.#logger.info("Listening", { host, port: this.#engine.port });
  }

  #find(
    topic: AskMessage["topic"],
    question: AskMessage["question"],
  ): Promise<unknown> | unknown {
    // Below, the topic says which question it is.
    if (topic === "inventory") {
      return this.#running.inventory(question as Questions["inventory"]["question"]);
    }
    const { kind, name, timeoutMs } = question as Questions["ping"]["question"];
    if (topic === "status") return this.#outgoing.status(kind, name) ?? null;
    return this.#outgoing.ping(kind, name, timeoutMs);
  }

  #createRuntime(
    services: ReadonlyMap<string, RunnableService>,
    facilities: Facilities,
  ): ServiceRuntime {
    const { server, cluster } = this.#init;
    const shared = { logger: this.#logger, marks: this.#slots, turns: this.#turns };
    return { server, cluster, services, facilities, ...shared, invoke: invokeService };
  }
}

// What JSON cannot carry is found out here, with a name, and not by the message channel.
function plainJson(output: unknown, service: string): unknown {
  if (output === undefined) return undefined;
  try {
    return plainCopy(output) ?? null;
  } catch (error) {
    const reason = reasonOf(error);
    throw new PlatformError("SERVICE_OUTPUT_NOT_JSON", { service, reason }, { cause: error });
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

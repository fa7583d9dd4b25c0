import type { StoredObject } from "../../catalog/kind.ts";
import { isPlatformError, PlatformError, reasonOf } from "../../errors/platform-error.ts";
import { parseClusterKey } from "../../security/cluster-key.ts";
import type { RunnableService, ServiceRuntime } from "../../service/call.ts";
import { invokeService } from "../../service/run-service.ts";
import type { Logger } from "../../telemetry/logger.ts";
import { type HttpEngine, openHttpEngine } from "../http/engine.ts";
import { HttpFront } from "../http/front.ts";
import { compileRouter } from "../http/router.ts";
import { stateHash } from "../state-hash.ts";
import { BundleSet } from "./bundle-set.ts";
import { GenerationCompiler } from "./compile-generation.ts";
import { drainTraffic } from "./drain.ts";
import { runOperatorCall } from "./operator-call.ts";
import type {
  ConfiguredMessage,
  ConfigureMessage,
  HeartbeatMessage,
  InitMessage,
  InvokedMessage,
  InvokeMessage,
} from "./protocol.ts";
import { ServiceSlots } from "./service-slots.ts";
import { StallWatchdog } from "./stall-watchdog.ts";

/**
 * The data plane of one process: init -> configure (any number, one after the other) -> drain.
 * It listens after its first configure. It knows nothing of how messages reach it.
 */
export class Worker {
  readonly #init: InitMessage;
  readonly #logger: Logger;
  readonly #slots = new ServiceSlots();
  readonly #watchdog: StallWatchdog;
  readonly #bundles = new BundleSet();
  readonly #objects = new Map<string, StoredObject>();
  readonly #compiler: GenerationCompiler;
  readonly #front: HttpFront;
  #runtime: ServiceRuntime;
  #engine: HttpEngine | undefined;

  /** Throws SECURITY_KEY_INVALID. */
  constructor(init: InitMessage, logger: Logger) {
    this.#init = init;
    this.#logger = logger;
    const key = parseClusterKey(init.clusterKey);
    this.#compiler = new GenerationCompiler({ key, limits: init.limits });
    this.#runtime = this.#createRuntime(new Map());
    this.#front = new HttpFront({
      generation: { router: compileRouter([]), runtime: this.#runtime },
      logger,
      server: init.environment === "development" ? init.server : undefined,
      trustedProxies: init.trustedProxies,
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
    const bundleFailures = await this.#bundles.update(message.bundles);
    const services = new Map<string, RunnableService>();
    for (const [name, service] of this.#bundles.services()) {
      services.set(name, { service, slot: this.#slots.slotOf(name) });
    }
    this.#watchdog.updateNames();
    this.#runtime = this.#createRuntime(services);
    const compiled = this.#compiler.compile(this.#objects.values(), this.#runtime);
    this.#front.use(compiled.generation);
    this.#listen();
    const failures = [...bundleFailures, ...compiled.failures];
    for (const { kind, name, error } of failures) {
      this.#logger.error("Not brought to life", { kind, name, reason: error });
    }
    const failed = new Set(compiled.failures.map(({ kind, name }) => `${kind}/${name}`));
    const running = [...this.#objects].filter(([id]) => !failed.has(id)).map(([, one]) => one);
    const hash = stateHash(running, this.#bundles.keys());
    return { type: "configured", revision: message.revision, stateHash: hash, failures };
  }

  /** Runs a service for an operator; never rejects. */
  async invoke({ id, ...call }: InvokeMessage): Promise<InvokedMessage> {
    const startedAt = performance.now();
    const durationMs = () => Math.round((performance.now() - startedAt) * 1_000) / 1_000;
    try {
      const output = plainJson(await runOperatorCall(call, this.#runtime), call.service);
      return { type: "invoked", id, durationMs: durationMs(), output };
    } catch (error) {
      const { cid, service } = call;
      this.#logger.warn("Invocation by an operator failed", { cid, service, error });
      const known = isPlatformError(error) ? error : new PlatformError("INTERNAL");
      return { type: "invoked", id, durationMs: durationMs(), error: known.toJSON() };
    }
  }

  /** Figures since the last heartbeat. */
  heartbeat(): HeartbeatMessage {
    return {
      type: "heartbeat",
      requestsTotal: this.#front.requestsTotal,
      errorsTotal: this.#front.errorsTotal,
      inFlight: this.#front.inFlight,
      memoryBytes: process.memoryUsage().rss,
      eventLoopDelayMs: this.#watchdog.takeDelayMs(),
    };
  }

  /** Finishes the traffic; resolves to the number of requests that were cut off. */
  drain(timeoutMs: number): Promise<number> {
    return drainTraffic(this.#front, this.#engine, timeoutMs);
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

  #listen(): void {
    if (this.#engine !== undefined) return;
    const { host, port } = this.#init.http;
    this.#engine = openHttpEngine({ host, port, handle: this.#front.handle });
    this.#logger.info("Listening", { host, port: this.#engine.port });
  }

  #createRuntime(services: ReadonlyMap<string, RunnableService>): ServiceRuntime {
    const { server, cluster } = this.#init;
    const logger = this.#logger;
    return { server, cluster, logger, services, marks: this.#slots, invoke: invokeService };
  }
}

// What JSON cannot carry is found out here, with a name, and not by the message channel.
function plainJson(output: unknown, service: string): unknown {
  if (output === undefined) return undefined;
  try {
    return JSON.parse(JSON.stringify(output) ?? "null");
  } catch (error) {
    const reason = reasonOf(error);
    throw new PlatformError("SERVICE_OUTPUT_NOT_JSON", { service, reason }, { cause: error });
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

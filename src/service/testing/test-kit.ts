import { AssertionError } from "node:assert";
import type { Cache } from "../cache.ts";
import type { Call, RunnableService, ServiceRuntime } from "../call.ts";
import type { Service } from "../define-service.ts";
import type { Facilities } from "../facilities.ts";
import type { KvdbStore } from "../kvdb-store.ts";
import type { ConfigOf, NameOf } from "../register.ts";
import { invokeService, unknownService } from "../run-service.ts";
import type { ServiceScope } from "../running/hooks.ts";
import { createRunnable } from "../running/runnable.ts";
import { createCapturedLog, type LogLine } from "./captured-log.ts";
import { createKitFacilities, type KitObjects, type PushedMessage } from "./kit-facilities.ts";
import { MemoryKvdb } from "./memory-kvdb.ts";
import { MemoryWork, type TestInvocation } from "./memory-work.ts";
import { type OutgoingCall, OutgoingFakes } from "./outgoing-fakes.ts";
import type { FakeHooks, RestFake, RestScripts } from "./rest-fake.ts";
import type { SoapFakeOf, SoapScripts } from "./soap-fake.ts";
import type { TestRequest } from "./test-call.ts";
import { TestClock } from "./test-clock.ts";
import { UnexpectedCall } from "./unexpected-call.ts";
import { type RunNotes, runTest, type TestFailure, type TestResult } from "./test-run.ts";

/** What a test's cluster has. */
export interface TestKitOptions extends KitObjects {
  /** Services that others invoke by name, or later; those that are run need not be listed. */
  readonly services?: readonly Service[];
  /** RestOutgoing objects: how the other side of each answers, by `GET /customers/{id}`. */
  readonly rest?: Readonly<Partial<Record<NameOf<"rest">, RestScripts>>>;
  /** SoapOutgoing objects: how the other side of each answers, by operation. */
  readonly soap?: Readonly<Partial<Record<NameOf<"soap">, SoapScripts>>>;
  /** When the test begins; default `2026-01-01T00:00:00Z`. */
  readonly now?: string | number | Date;
  /** Default `test`. */
  readonly cluster?: string;
  /** Default `server-1`. */
  readonly server?: string;
}

/** What a test can take away, for as long as a field is true. */
export interface TestOutages {
  /** The KVDB: `ctx.kvdb` rejects with KVDB_UNREACHABLE. */
  kvdb: boolean;
  /** The ODB: `ctx.invokeAsync`, `ctx.schedule` and `ctx.lock` reject with ODB_UNREACHABLE. */
  odb: boolean;
}

/** Makes a kit; nothing of it has to be closed. */
export function createTestKit(options: TestKitOptions = {}): TestKit {
  return new TestKit(options);
}

/**
 * Runs services without a cluster, a network or a clock: everything that `ctx` reaches is in
 * memory, other systems are fakes that answer what the test says, and time passes when the test
 * lets it.
 */
export class TestKit {
  /** Moves only by `clock.advance(ms)`. */
  readonly clock: TestClock;
  /** All that was logged, in order. */
  readonly log: readonly LogLine[];
  /** What services sent to WebSocket clients, in order. */
  readonly pushed: readonly PushedMessage[];
  readonly outages: TestOutages = { kvdb: false, odb: false };
  readonly #log: LogLine[] = [];
  readonly #notes = new WeakMap<ServiceRuntime, RunNotes>();
  readonly #services = new Map<string, RunnableService>();
  readonly #outgoing: OutgoingFakes;
  readonly #work: MemoryWork;
  readonly #facilities: Facilities;
  readonly #names: Pick<ServiceRuntime, "cluster" | "server">;
  #runs = 0;

  /** See `createTestKit`. */
  constructor(options: TestKitOptions) {
    const { services = [], rest = {}, soap = {}, now = "2026-01-01T00:00:00Z" } = options;
    const { cluster = "test", server = "server-1" } = options;
    const pushed: PushedMessage[] = [];
    const clock = new TestClock(now);
    this.clock = clock;
    this.log = this.#log;
    this.pushed = pushed;
    this.#names = { cluster, server };
    const hooksOf = (call: Call) => this.#hooksOf(call);
    this.#outgoing = new OutgoingFakes({ clock, rest, soap, hooksOf });
    this.#work = new MemoryWork(clock, () => !this.outages.odb);
    const kvdb = new MemoryKvdb(clock, () => !this.outages.kvdb);
    const reached = { outgoing: this.#outgoing, work: this.#work, kvdb, pushed };
    this.#facilities = createKitFacilities({ objects: options, cluster, clock, ...reached });
    for (const service of services) this.#services.set(service.name, createRunnable(service));
  }

  /**
   * Runs a service as a channel does: input and output are validated, the method picks the handler,
   * the deadline holds. Rejects with what the service throws, REQUEST_INPUT_INVALID,
   * SERVICE_OUTPUT_INVALID, REQUEST_TIMEOUT, and UnexpectedCall for a call of another system that
   * the test has no answer for.
   */
  async run<Input, Output>(
    service: Service<Input, Output>,
    input: NoInfer<Input>,
    request: TestRequest = {},
  ): Promise<TestResult<Output>> {
    const result = await this.#run(service, input, request);
    if ("error" in result) throw result.error;
    return result as TestResult<Output>; // its schema, or its type, says so
  }

  /**
   * Runs a service that is expected to fail, and says how. `input` may be anything. Rejects with an
   * AssertionError when the service does not fail, and with UnexpectedCall.
   */
  async fails(service: Service, input: unknown, request: TestRequest = {}): Promise<TestFailure> {
    const result = await this.#run(service, input, request);
    if (!("error" in result)) {
      const message = `The service "${service.name}" was to fail, and returned ` +
        JSON.stringify(result.output);
      throw new AssertionError({ message, actual: result.output, operator: "fails" });
    }
    if (result.error instanceof UnexpectedCall) throw result.error;
    return result;
  }

  /** The other side of a RestOutgoing; makes one of this name when there is none. */
  rest(name: NameOf<"rest">): RestFake {
    return this.#outgoing.rest(name);
  }

  /** The other side of a SoapOutgoing; makes one of this name when there is none. */
  soap<Name extends NameOf<"soap">>(name: Name): SoapFakeOf<Name> {
    // The register says more of the operations than the fake knows.
    return this.#outgoing.soap(name) as SoapFakeOf<Name>;
  }

  /** What services handed over with `invokeAsync` and `schedule`, in order. */
  get invoked(): readonly TestInvocation[] {
    return this.#work.invocations;
  }

  /**
   * Runs the invocations that are due by the clock, with the callbacks that follow from them, and
   * returns them. One that fails is due again after its back-off: advance the clock, call this again.
   */
  runPending(): Promise<readonly TestInvocation[]> {
    return this.#work.runDue(async ({ id, service: name, input, cid }) => {
      const service = this.#services.get(name)?.service;
      if (service === undefined) throw unknownService(name, this.#services.keys());
      const request = { method: "", channel: { kind: "Invocation", name: id }, cid };
      const result = await this.#run(service, input, request);
      if ("error" in result) throw result.error;
      return result.output;
    });
  }

  /** Locks of somebody else, to try what a service does without one. */
  get locks(): Pick<MemoryWork, "hold" | "free"> {
    return this.#work;
  }

  /** The KVDB of the services. */
  get kvdb(): KvdbStore {
    return this.#facilities.kvdb;
  }

  /** A cache of the services; default `default`. Throws CACHE_UNKNOWN. */
  cache(name: NameOf<"caches"> | "default" = "default"): Cache {
    return this.#facilities.caches.get(name);
  }

  /** Calls `onStart`, as a worker that has loaded the service. */
  async start(service: Service): Promise<void> {
    await service.hooks?.onStart?.(this.#scope(service, new AbortController().signal));
  }

  /** Calls `onStop`, as a worker that drains. */
  async stop(service: Service): Promise<void> {
    const stopped = AbortSignal.abort(new Error("The service stops"));
    await service.hooks?.onStop?.(this.#scope(service, stopped));
  }

  #run(
    service: Service,
    input: unknown,
    request: TestRequest,
  ): Promise<TestResult<unknown> | TestFailure> {
    if (!this.#services.has(service.name)) {
      this.#services.set(service.name, createRunnable(service));
    }
    const known = this.#services.get(service.name);
    // Another service of the same name, such as a variant that a test makes, is meant itself.
    const runnable = known?.service === service ? known : createRunnable(service);
    const number = ++this.#runs;
    const cid = request.cid ?? `cid-${number}`;
    const notes: RunNotes = { log: [], calls: [], unexpected: [] };
    const runtime = this.#runtime(notes);
    this.#notes.set(runtime, notes);
    return runTest({ runnable, input, request, cid, runtime, notes });
  }

  #runtime(notes: Pick<RunNotes, "log">): ServiceRuntime {
    const write = (line: LogLine) => {
      this.#log.push(line);
      notes.log.push(line);
    };
    return {
      ...this.#names,
      logger: createCapturedLog({ write }),
      services: this.#services,
      marks: { enter: () => {}, leave: () => {} },
      facilities: this.#facilities,
      invoke: invokeService,
    };
  }

  #scope(service: Service, signal: AbortSignal): ServiceScope {
    const { logger } = this.#runtime({ log: [] });
    const { configs, kvdb } = this.#facilities;
    return {
      ...this.#names,
      log: logger.child({ service: service.name }),
      signal,
      // The register says more of the values than the object does.
      config: <Name extends string>(name: Name) => configs.get(name) as ConfigOf<Name>,
      cache: (name) => this.cache(name),
      kvdb,
    };
  }

  #hooksOf({ runtime }: Call): FakeHooks<OutgoingCall> {
    const notes = this.#notes.get(runtime);
    return {
      onCall: (made) => notes?.calls.push(made),
      onUnexpected: (error) => notes?.unexpected.push(error),
    };
  }
}

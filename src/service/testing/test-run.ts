import { isPlatformError, PlatformError, reasonOf } from "../../errors/platform-error.ts";
import type { Call, RunnableService, ServiceRuntime } from "../call.ts";
import { isFileResponse } from "../http/file-response.ts";
import { runService, validate } from "../run-service.ts";
import { LimitedCall } from "../running/limited-call.ts";
import { describeIssues } from "../schema.ts";
import { isServiceError } from "../service-error.ts";
import { serviceFailure } from "../service-failure.ts";
import type { LogLine } from "./captured-log.ts";
import type { OutgoingCall } from "./outgoing-fakes.ts";
import { createTestCall, type TestRequest } from "./test-call.ts";
import type { UnexpectedCall } from "./unexpected-call.ts";

/** What happened in one run. */
export interface TestTrace {
  /** Lines of the service and of those that it invoked. */
  readonly log: readonly LogLine[];
  /** Calls of outgoing connections, in order. */
  readonly calls: readonly OutgoingCall[];
  /** By the kit's clock. */
  readonly durationMs: number;
}

/** A run that went well. */
export interface TestResult<Output> extends TestTrace {
  readonly output: Output;
  /** As a REST channel answers. */
  readonly status: number;
  readonly headers: Headers;
}

/** A run that failed. */
export interface TestFailure extends TestTrace {
  /** What the service threw, or why it was not run. */
  readonly error: unknown;
  /** As a REST channel answers. */
  readonly status: number;
  /** Of the platform's error; undefined for a ServiceError and any other. */
  readonly code: string | undefined;
  readonly message: string;
  /** Of a ServiceError, or the fields that are wrong: `{ errors: [{ pointer, detail }] }`. */
  readonly details: unknown;
}

/** What is noted while a run goes on. */
export interface RunNotes {
  readonly log: LogLine[];
  readonly calls: OutgoingCall[];
  readonly unexpected: UnexpectedCall[];
}

export interface TestRunOptions {
  readonly runnable: RunnableService;
  readonly input: unknown;
  readonly request: TestRequest;
  readonly cid: string;
  readonly runtime: ServiceRuntime;
  readonly notes: RunNotes;
}

const timeoutDefaultMs = 30_000;

/** Runs a service as a channel does: validation, deadline, handler, validation of the output. */
export async function runTest(
  options: TestRunOptions,
): Promise<TestResult<unknown> | TestFailure> {
  const { runnable: { service }, request, runtime, notes } = options;
  const { clock } = runtime.facilities;
  const startedAtMs = clock.monotonic();
  const timeoutMs = request.timeoutMs ?? service.timeoutMs ?? timeoutDefaultMs;
  using call = new LimitedCall(createTestCall({ ...options, service }), timeoutMs);
  const trace = () => ({
    log: notes.log,
    calls: notes.calls,
    durationMs: clock.monotonic() - startedAtMs,
  });
  try {
    const output = await call.race(runValidated(options, call));
    if (notes.unexpected.length > 0) throw notes.unexpected[0];
    checkAnswer(output, call, service.name);
    const { headers, status } = call.response;
    return { output, headers, status: status || (output === undefined ? 204 : 200), ...trace() };
  } catch (thrown) {
    // What was not expected fails the test even where the service made something else of it.
    const error = notes.unexpected[0] ?? thrown;
    return { ...failureOf(error, service.name), ...trace() };
  }
}

async function runValidated({ runnable, input }: TestRunOptions, call: Call): Promise<unknown> {
  const checked = await validate(runnable.service.input, input);
  if (checked.issues !== undefined) {
    const errors = describeIssues(checked.issues);
    throw new PlatformError("REQUEST_INPUT_INVALID", {}, { details: { errors } });
  }
  return await runService(runnable, checked.value, call);
}

/** What a channel could not send is an error in a test, too. */
function checkAnswer(output: unknown, { response }: Call, service: string): void {
  const contentType = response.headers.get("content-type");
  const isRaw = contentType !== null && !/\bjson\b/i.test(contentType);
  const isBytes = output instanceof Uint8Array || output instanceof ReadableStream ||
    (typeof output === "object" && output !== null && isFileResponse(output));
  if (output === undefined || isBytes || (isRaw && typeof output === "string")) return;
  try {
    if (JSON.stringify(output) !== undefined) return;
  } catch (error) {
    const reason = reasonOf(error);
    throw new PlatformError("SERVICE_OUTPUT_NOT_JSON", { service, reason }, { cause: error });
  }
  throw new PlatformError("SERVICE_OUTPUT_NOT_JSON", { service, reason: typeof output });
}

function failureOf(error: unknown, service: string): Omit<TestFailure, keyof TestTrace> {
  const message = reasonOf(error);
  if (isServiceError(error)) {
    const { status, details } = error;
    return { error, status, code: undefined, message, details };
  }
  const isCallers = isPlatformError(error) && error.code.startsWith("REQUEST_");
  const answered = isCallers ? error : serviceFailure(error, service);
  return {
    error,
    status: isPlatformError(answered) ? answered.status : 500,
    code: isPlatformError(error) ? error.code : undefined,
    message,
    details: isPlatformError(error) ? error.details : undefined,
  };
}

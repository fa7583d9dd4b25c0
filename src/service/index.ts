/** What service code imports: `import { defineService, ServiceError, z } from "dragoman"`. */
export { z } from "zod";
export type { Principal } from "../security/principal.ts";
export type { Logger } from "../telemetry/logger.ts";
export type { Cache } from "./cache.ts";
export type { ChannelInfo, InvokeOptions, ServiceRequest, ServiceResponse } from "./call.ts";
export type { Schedule } from "./context/durable.ts";
export type {
  Invoke,
  InvokeAsync,
  InvokeAsyncOptions,
  PendingInvocation,
} from "./context/invoke.ts";
export type { Lock, LockTimes } from "./context/lock.ts";
export type { ParallelOptions, ParallelOutcome } from "./context/parallel.ts";
export type { Attempt, RetryOptions } from "./context/retry.ts";
export type { OutgoingAccess, PushChannel, ServiceContext } from "./context/service-context.ts";
export type { Time, TimeFormat } from "./context/time.ts";
export {
  defineService,
  type Service,
  type ServiceDefinition,
  type ServiceLimits,
} from "./define-service.ts";
export type { Translation } from "./dictionaries.ts";
export type { KvdbStore } from "./kvdb-store.ts";
export type { RestClient, RestOptions, RestReply } from "./outgoing/rest-client.ts";
export type { SoapClient } from "./outgoing/soap-client.ts";
export type { Register } from "./register.ts";
export type { CallOutcome, ServiceHooks, ServiceScope } from "./running/hooks.ts";
export { type FileResponse, fileResponse, type FileResponseOptions } from "./http/file-response.ts";
export { requirePreconditions, type Validators } from "./http/preconditions.ts";
export {
  eventStream,
  type ServerSentEvent,
  type StreamResponse,
  streamResponse,
  type StreamResponseOptions,
  type StreamSource,
} from "./http/stream-response.ts";
export type { FieldProblem, Schema, SchemaInput, SchemaOutput } from "./schema.ts";
export { ServiceError, type ServiceErrorOptions } from "./service-error.ts";
export type { PushTarget } from "./socket-push.ts";
export { defineThreadTask, type ThreadTask } from "./threads.ts";
export type { UserConfigValues } from "./user-configs.ts";

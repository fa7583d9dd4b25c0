/** What service code imports: `import { defineService, ServiceError, z } from "dragoman"`. */
export { z } from "zod";
export type { Principal } from "../security/principal.ts";
export type { ChannelInfo, ServiceRequest, ServiceResponse } from "./call.ts";
export type { Invoke, ServiceContext } from "./context.ts";
export { defineService, type Service, type ServiceDefinition } from "./define-service.ts";
export type { FieldProblem, Schema, SchemaInput, SchemaOutput } from "./schema.ts";
export { ServiceError, type ServiceErrorOptions } from "./service-error.ts";

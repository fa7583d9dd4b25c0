import type { JsonSchema } from "../../service/json-schema.ts";

/** What an endpoint tells about itself, for documents. */
export interface EndpointDescription {
  readonly summary: string;
  readonly input: JsonSchema | undefined;
  readonly output: JsonSchema | undefined;
  /** Media types of bodies that it takes; empty when it takes none. */
  readonly requestTypes: readonly string[];
  readonly responseTypes: readonly string[];
}

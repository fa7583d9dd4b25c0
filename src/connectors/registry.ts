import type { Kind, KindRegistry } from "../catalog/kind.ts";
import { apiKey } from "../security/api-key.ts";
import { basicAuth } from "../security/basic-auth.ts";
import { restChannel } from "./rest/index.ts";

/** Every kind of object there is, by name. */
export const kinds: KindRegistry = new Map<string, Kind>(
  // A kind of a narrower schema takes narrower specs; whoever calls it has validated them.
  [restChannel, basicAuth, apiKey].map((kind) => [kind.kind, kind as Kind]),
);

import type { Call } from "../call.ts";
import type { RestClient } from "./rest-client.ts";
import type { SoapClient } from "./soap-client.ts";

/** Clients by protocol: what `ctx.out.<protocol>(name)` answers. */
export interface OutgoingClients {
  readonly rest: RestClient;
  readonly soap: SoapClient;
}

/** The outgoing connections of one configuration. */
export interface OutgoingSet {
  /** Throws OUTGOING_UNKNOWN with the nearest name, OUTGOING_INACTIVE, and OUTGOING_UNUSABLE. */
  client<P extends keyof OutgoingClients>(
    protocol: P,
    name: string,
    call: Call,
  ): OutgoingClients[P];
}

import { PlatformError } from "../../errors/platform-error.ts";
import type { Call } from "../call.ts";
import type { Clock } from "../clock.ts";
import { unknownName } from "../facilities/unknown-name.ts";
import type { OutgoingClients, OutgoingSet } from "../outgoing/outgoing-set.ts";
import { type FakeHooks, type RestCall, RestFake, type RestScripts } from "./rest-fake.ts";
import { createFakeRestClient } from "./rest-fake-client.ts";
import { type SoapCall, SoapFake, type SoapScripts } from "./soap-fake.ts";

/** A call that a service made to another system. */
export type OutgoingCall = RestCall | SoapCall;

export interface OutgoingFakesOptions {
  readonly clock: Clock;
  readonly rest: Readonly<Partial<Record<string, RestScripts>>>;
  readonly soap: Readonly<Partial<Record<string, SoapScripts>>>;
  /** Where what happens in a call is noted. */
  readonly hooksOf: (call: Call) => FakeHooks<OutgoingCall>;
}

/** The outgoing connections of a test: all of them fakes. */
export class OutgoingFakes implements OutgoingSet {
  readonly #clock: Clock;
  readonly #hooksOf: OutgoingFakesOptions["hooksOf"];
  readonly #rest = new Map<string, RestFake>();
  readonly #soap = new Map<string, SoapFake>();

  constructor({ clock, rest, soap, hooksOf }: OutgoingFakesOptions) {
    this.#clock = clock;
    this.#hooksOf = hooksOf;
    for (const [name, scripts] of Object.entries(rest)) this.rest(name, scripts);
    for (const [name, scripts] of Object.entries(soap)) this.soap(name, scripts);
  }

  /** The fake of this name; a new one when there is none. */
  rest(name: string, scripts?: RestScripts): RestFake {
    const fake = this.#rest.get(name) ?? new RestFake(name, scripts);
    this.#rest.set(name, fake);
    return fake;
  }

  /** The fake of this name; a new one when there is none. */
  soap(name: string, scripts?: SoapScripts): SoapFake {
    const fake = this.#soap.get(name) ?? new SoapFake(name, scripts);
    this.#soap.set(name, fake);
    return fake;
  }

  client<P extends keyof OutgoingClients>(
    protocol: P,
    name: string,
    call: Call,
  ): OutgoingClients[P] {
    const hooks = this.#hooksOf(call);
    const clients: { readonly [key in keyof OutgoingClients]: () => OutgoingClients[key] } = {
      rest: () => {
        const fake = pick(this.#rest, "RestOutgoing", name);
        return createFakeRestClient(fake, { call, hooks, clock: this.#clock });
      },
      soap: () => pick(this.#soap, "SoapOutgoing", name).client(call, hooks),
    };
    return clients[protocol]();
  }
}

function pick<Fake>(fakes: ReadonlyMap<string, Fake>, kind: string, name: string): Fake {
  const fake = fakes.get(name);
  if (fake !== undefined) return fake;
  throw new PlatformError("OUTGOING_UNKNOWN", { kind, ...unknownName(name, fakes.keys()) });
}

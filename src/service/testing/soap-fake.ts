import { PlatformError } from "../../errors/platform-error.ts";
import type { Call } from "../call.ts";
import type { SoapClient } from "../outgoing/soap-client.ts";
import type { Register } from "../register.ts";
import type { FakeHooks } from "./rest-fake.ts";
import { UnexpectedCall } from "./unexpected-call.ts";

/** A call that a service made to a SoapOutgoing. */
export interface SoapCall {
  readonly protocol: "soap";
  /** The SoapOutgoing's name. */
  readonly connection: string;
  readonly operation: string;
  /** As JSON. */
  readonly input: unknown;
  readonly cid: string;
}

/** A function of the input that returns the answer, or throws what `soapFault` makes. */
export type SoapHandler = (input: unknown, call: SoapCall) => unknown;

/** Handlers, or plain answers, by operation. */
export type SoapScripts = Readonly<Record<string, unknown>>;

export interface Fault {
  /** Such as `Server`. */
  readonly code: string;
  readonly reason: string;
  /** As JSON. */
  readonly detail?: unknown;
}

class FaultAnswer extends Error {
  override readonly name = "FaultAnswer";
  readonly fault: Fault;

  constructor(fault: Fault) {
    super(fault.reason);
    this.fault = fault;
  }
}

/** The fault with which the other side of a SoapOutgoing answers: to be thrown by a handler. */
export function soapFault(fault: Fault): Error {
  return new FaultAnswer(fault);
}

/** The other side of one SoapOutgoing, as a test wants it. */
export class SoapFake {
  readonly name: string;
  /** Every call so far, in order, also those without an answer. */
  readonly calls: SoapCall[] = [];
  readonly #answers = new Map<string, unknown>();

  constructor(name: string, scripts: SoapScripts = {}) {
    this.name = name;
    for (const [operation, script] of Object.entries(scripts)) this.on(operation, script);
  }

  /** Says how an operation is answered: by a SoapHandler, or with a plain value. */
  on(operation: string, answer: unknown): this {
    this.#answers.set(operation, answer);
    return this;
  }

  client(call: Call, hooks: FakeHooks<SoapCall>): SoapClient {
    // The answer's type is the caller's claim, as for the real client.
    return {
      call: <T>(operation: string, input?: unknown) =>
        this.#call({ call, hooks, operation, input }) as Promise<T>,
    };
  }

  async #call({ call, hooks, operation, input }: {
    readonly call: Call;
    readonly hooks: FakeHooks<SoapCall>;
    readonly operation: string;
    readonly input: unknown;
  }): Promise<unknown> {
    call.signal.throwIfAborted();
    const made: SoapCall = {
      protocol: "soap",
      connection: this.name,
      operation,
      input: copyOf(input),
      cid: call.request.cid,
    };
    this.calls.push(made);
    hooks.onCall(made);
    if (!this.#answers.has(operation)) {
      const what = `The operation ${operation} of the SoapOutgoing "${this.name}" was called`;
      const error = new UnexpectedCall(what, [...this.#answers.keys()]);
      hooks.onUnexpected(error);
      throw error;
    }
    const answer = this.#answers.get(operation);
    try {
      return copyOf(isHandler(answer) ? await answer(made.input, made) : answer);
    } catch (error) {
      if (!(error instanceof FaultAnswer)) throw error;
      const { code, reason } = error.fault;
      const about = { name: this.name, operation, code, reason };
      throw new PlatformError("SOAP_FAULT", about, { cause: error, details: error.fault });
    }
  }
}

/** A fake that knows the operations of its connection, where the register says them. */
export type SoapFakeOf<Name> = Register extends { readonly soap: infer Connections }
  ? Name extends keyof Connections ? TypedSoapFake<Connections[Name]> : SoapFake
  : SoapFake;

interface TypedSoapFake<Operations> extends Pick<SoapFake, "name" | "calls"> {
  on<Operation extends Extract<keyof Operations, string>>(
    operation: Operation,
    answer:
      | Side<Operations[Operation], "output">
      | ((
        input: Side<Operations[Operation], "input">,
        call: SoapCall,
      ) => Side<Operations[Operation], "output"> | Promise<Side<Operations[Operation], "output">>),
  ): this;
}

type Side<Operation, Key extends "input" | "output"> = Operation extends
  { readonly [key in Key]: infer Value } ? Value : unknown;

function isHandler(answer: unknown): answer is SoapHandler {
  return typeof answer === "function";
}

function copyOf(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}

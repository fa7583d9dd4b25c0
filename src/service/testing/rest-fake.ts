import type { RestMethod } from "../outgoing/create-rest-client.ts";
import { parsePathPattern, type PathPattern } from "./path-pattern.ts";
import { UnexpectedCall } from "./unexpected-call.ts";

/** A call that a service made to a RestOutgoing. */
export interface RestCall {
  readonly protocol: "rest";
  /** The RestOutgoing's name. */
  readonly connection: string;
  readonly method: RestMethod;
  /** Percent-encoded, without the query. */
  readonly path: string;
  /** Values of the parts of the answer's template, decoded. */
  readonly params: Readonly<Record<string, string>>;
  /** A parameter that stood several times is a list. */
  readonly query: Readonly<Record<string, string | readonly string[]>>;
  readonly headers: Headers;
  /** JSON as a value; anything else as it was given. */
  readonly body: unknown;
  readonly cid: string;
}

/** What the other side of a fake says, or that it says nothing. */
export type RestAnswer =
  | {
    /** Default 200; of 400 and above rejects as for the real client. */
    readonly status?: number;
    readonly headers?: Readonly<Record<string, string>>;
    /** JSON, a text, bytes or a stream. */
    readonly data?: unknown;
    /** Time that the answer takes, by the kit's clock. */
    readonly delayMs?: number;
  }
  | {
    /** `unreachable`, `timeout` and `breaker-open` reject with the real client's errors. */
    readonly failure: "unreachable" | "timeout" | "breaker-open";
  };

export type RestHandler = (call: RestCall) => RestAnswer | Promise<RestAnswer>;

/** An answer, a function of the call, or a list of both: one for each call, the last one stays. */
export type RestScript = RestAnswer | RestHandler | readonly (RestAnswer | RestHandler)[];

/** Answers by `GET /customers/{id}`. */
export type RestScripts = Readonly<Record<string, RestScript>>;

interface Rule {
  readonly method: RestMethod;
  readonly pattern: PathPattern;
  readonly answers: readonly (RestAnswer | RestHandler)[];
  used: number;
}

/** The other side of one RestOutgoing, as a test wants it. */
export class RestFake {
  readonly name: string;
  /** Every call so far, in order, also those without an answer. */
  readonly calls: RestCall[] = [];
  readonly #rules: Rule[] = [];

  constructor(name: string, scripts: RestScripts = {}) {
    this.name = name;
    for (const [key, script] of Object.entries(scripts)) {
      const [method = "", path = ""] = key.split(/\s+/, 2);
      this.on(checkMethod(method, key), path, script);
    }
  }

  /** Says how calls are answered; of several that fit, the most specific, then the newest one. */
  on(method: RestMethod, path: string, script: RestScript): this {
    if (!path.startsWith("/")) throw new RangeError(`The path "${path}" does not begin with /`);
    const answers = isList(script) ? script : [script];
    if (answers.length === 0) throw new RangeError(`${method} ${path} has an empty list`);
    this.#rules.push({ method, pattern: parsePathPattern(path), answers, used: 0 });
    return this;
  }

  /** The answer to a call; throws UnexpectedCall. */
  async answer(
    sent: Omit<RestCall, "params">,
    hooks: FakeHooks<RestCall>,
  ): Promise<RestAnswer> {
    const found = this.#find(sent.method, sent.path);
    const made: RestCall = { ...sent, params: found?.params ?? {} };
    this.calls.push(made);
    hooks.onCall(made);
    if (found === undefined) {
      const what = `${sent.method} ${sent.path} of the RestOutgoing "${this.name}" was called`;
      const known = this.#rules.map(({ method, pattern }) => `${method} ${pattern.template}`);
      const error = new UnexpectedCall(what, known);
      hooks.onUnexpected(error);
      throw error;
    }
    const { rule } = found;
    const script = rule.answers[Math.min(rule.used++, rule.answers.length - 1)]!;
    return typeof script === "function" ? await script(made) : script;
  }

  #find(method: RestMethod, path: string): Found | undefined {
    let best: Found | undefined;
    for (const rule of this.#rules) {
      const params = rule.method === method ? rule.pattern.match(path) : undefined;
      if (params === undefined) continue;
      if (best === undefined || rule.pattern.paramCount <= best.rule.pattern.paramCount) {
        best = { rule, params };
      }
    }
    return best;
  }
}

interface Found {
  readonly rule: Rule;
  readonly params: Readonly<Record<string, string>>;
}

/** What a fake tells its kit. */
export interface FakeHooks<Made> {
  readonly onCall: (made: Made) => void;
  readonly onUnexpected: (error: UnexpectedCall) => void;
}

const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] as const;

function checkMethod(method: string, key: string): RestMethod {
  const found = methods.find((one) => one === method);
  if (found !== undefined) return found;
  throw new RangeError(`"${key}" does not begin with a method (${methods.join(", ")}) and a blank`);
}

function isList(script: RestScript): script is readonly (RestAnswer | RestHandler)[] {
  return Array.isArray(script);
}

import { isPlatformError, PlatformError } from "../../errors/platform-error.ts";
import { admit } from "../../http/admit.ts";
import { announcedBytes, bodyFailure } from "../../http/body.ts";
import type { Exchange } from "../../http/exchange.ts";
import type { HttpEndpoint } from "../../http/route.ts";
import type { RunnableService } from "../../service/call.ts";
import { runService, validate } from "../../service/run-service.ts";
import { describeIssues } from "../../service/schema.ts";
import { serviceFailure } from "../../service/service-failure.ts";
import { type BodyReader, streamBody } from "./body-reader.ts";
import type { InputAssembler } from "./input.ts";
import type { OutputChoice } from "./output.ts";

export interface RestEndpointOptions {
  readonly runnable: RunnableService;
  readonly body: BodyReader;
  readonly input: InputAssembler;
  /** Undefined: JSON. */
  readonly output: OutputChoice | undefined;
  /** Whether another channel answers at this path, by what clients accept. */
  readonly varies: boolean;
}

/** One service over plain HTTP. */
export class RestEndpoint implements HttpEndpoint {
  readonly #runnable: RunnableService;
  readonly #body: BodyReader;
  readonly #input: InputAssembler;
  readonly #output: OutputChoice | undefined;
  readonly #varies: boolean;

  constructor({ runnable, body, input, output, varies }: RestEndpointOptions) {
    this.#runnable = runnable;
    this.#body = body;
    this.#input = input;
    this.#output = output;
    this.#varies = varies || output?.varies === true;
  }

  /**
   * Security, body, decoding, coercion, validation, service, answer. Waits only where it must.
   */
  async answer(exchange: Exchange): Promise<Response> {
    const route = exchange.route!; // endpoints are reached by a route
    // Where a key in another header decides, nobody asks what this one says.
    if (route.guard?.readsAuthorization !== false) refuseDoubledCredentials(exchange.headers);
    const admitting = admit(exchange, route);
    if (admitting !== undefined) await admitting;
    const encoding = this.#output?.choose(exchange.headers);
    const announced = announcedBytes(exchange.web, exchange.headers);
    let body: unknown;
    if (announced !== 0) {
      if (this.#runnable.service.streamBody) streamBody(exchange, announced);
      else {
        exchange.isReadingBody = true;
        try {
          body = await this.#body.read(exchange, announced);
        } catch (error) {
          throw bodyFailure(error);
        }
        exchange.isReadingBody = false;
      }
    }
    try {
      const running = this.#run(exchange, this.#input.assemble(exchange, body));
      const output = running instanceof Promise ? await running : running;
      const answering = exchange.tools.answers.output(exchange, output, encoding);
      const response = answering instanceof Promise ? await answering : answering;
      if (this.#varies) response.headers.append("Vary", "Accept");
      return response;
    } finally {
      // What a stream still needs is given back when that ends.
      if (exchange.releaseUploads !== undefined && !exchange.isStreaming) {
        await exchange.releaseUploads();
      }
    }
  }

  /** Waits only where the schema or the service does. */
  #run(exchange: Exchange, input: unknown): unknown {
    const checking = validate(this.#runnable.service.input, input);
    return checking instanceof Promise
      ? checking.then((checked) => this.#invoke(exchange, checked))
      : this.#invoke(exchange, checking);
  }

  #invoke(exchange: Exchange, checked: Awaited<ReturnType<typeof validate>>): unknown {
    if (checked.issues !== undefined) {
      throw new PlatformError("REQUEST_INPUT_INVALID", {}, {
        details: { errors: describeIssues(checked.issues) },
      });
    }
    const { once } = exchange;
    if (once === undefined) return this.#call(exchange, checked.value);
    return once.begin().then(() => this.#call(exchange, checked.value));
  }

  #call(exchange: Exchange, input: unknown): unknown {
    try {
      const running = runService(this.#runnable, input, exchange);
      if (!(running instanceof Promise)) return running;
      return running.catch((error: unknown) => {
        throw this.#failure(exchange, error);
      });
    } catch (error) {
      throw this.#failure(exchange, error);
    }
  }

  #failure(exchange: Exchange, error: unknown): unknown {
    // A client that sends too much, or breaks off, fails its own request.
    if (exchange.bodyFailure !== undefined) return exchange.bodyFailure;
    // Asked for by the service, about this very request.
    if (isPlatformError(error, "REQUEST_PRECONDITION")) return error;
    return serviceFailure(error, this.#runnable.service.name);
  }
}

/** Schemes, to tell a second header from a comma inside of one. */
const second = /,\s*(?:basic|bearer|digest|negotiate|ntlm|apikey)\s/i;

/** Two credentials: who stands in front may have looked at the other one. */
function refuseDoubledCredentials(headers: Headers): void {
  const authorization = headers.get("authorization");
  if (authorization === null || !authorization.includes(",")) return;
  if (!second.test(authorization)) return;
  throw new PlatformError("REQUEST_MALFORMED", { reason: "The Authorization header came twice" });
}

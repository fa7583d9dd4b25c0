import { PlatformError } from "../../errors/platform-error.ts";
import type { Exchange } from "../../http/exchange.ts";
import type { HttpEndpoint } from "../../http/route.ts";

export interface HeaderLimits {
  readonly headersMax: number | undefined;
  readonly headerBytesMax: number | undefined;
}

/** Holds requests to a channel's own limits for headers, below those of the server. */
export class LimitedHeadersEndpoint implements HttpEndpoint {
  readonly #inner: HttpEndpoint;
  readonly #limits: HeaderLimits;

  constructor(inner: HttpEndpoint, limits: HeaderLimits) {
    this.#inner = inner;
    this.#limits = limits;
  }

  async answer(exchange: Exchange): Promise<Response> {
    const { headersMax = Infinity, headerBytesMax = Infinity } = this.#limits;
    let count = 0;
    let bytes = 0;
    for (const [name, value] of exchange.headers) {
      count++;
      bytes += name.length + value.length + 4; // with colon, space and line break
    }
    if (count > headersMax) throw tooMany(`${count} headers, at most ${headersMax}`);
    if (bytes > headerBytesMax) throw tooMany(`${bytes} bytes, at most ${headerBytesMax}`);
    return await this.#inner.answer(exchange);
  }
}

function tooMany(reason: string): PlatformError {
  return new PlatformError("REQUEST_HEADERS", { reason });
}

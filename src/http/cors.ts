import { z } from "zod";
import type { Exchange } from "./exchange.ts";

/** `cors` of channels: which pages of other origins may call them. */
export const corsFields = z.strictObject({
  origins: z.union([
    z.literal("*"),
    z.array(
      z.string().regex(/^https?:\/\/[^/\s]+$/, "An origin is a scheme, a host and a port, no path"),
    ).min(1).max(100),
  ]).meta({
    description: 'Origins that may call, such as "https://shop.example.com", or "*" for every one',
    example: ["https://shop.example.com"],
  }),
  headers: z.array(z.string().min(1)).max(100).default([]).meta({
    description: "Request headers that pages may set; default: those that the browser asks for",
    example: ["Content-Type", "X-API-Key"],
  }),
  exposeHeaders: z.array(z.string().min(1)).max(100).default([]).meta({
    description: "Headers of answers that pages may read",
    example: ["X-Total-Count"],
  }),
  credentials: z.boolean().default(false).meta({
    description: 'Whether pages may send cookies and client certificates; not with origins "*"',
    example: false,
  }),
  maxAgeSeconds: z.int().min(0).max(86_400).default(600).meta({
    description: "How long browsers may remember the permission",
    example: 600,
  }),
}).refine(({ origins, credentials }) => !(credentials && origins === "*"), {
  message: 'With credentials, list the origins instead of "*"',
  path: ["origins"],
});

export type CorsSpec = z.output<typeof corsFields>;

/** Cross-origin permissions of one channel (https://fetch.spec.whatwg.org/#http-cors-protocol). */
export class CorsPolicy {
  readonly #spec: CorsSpec;
  readonly #origins: ReadonlySet<string>;

  constructor(spec: CorsSpec) {
    this.#spec = spec;
    this.#origins = new Set(spec.origins === "*" ? [] : spec.origins);
  }

  /** Adds to an answer what lets a page of the request's origin read it. */
  permit({ headers }: Exchange, answer: Response): void {
    const { origins, credentials, exposeHeaders } = this.#spec;
    if (origins !== "*") answer.headers.append("Vary", "Origin");
    const allowed = this.#allowed(headers.get("origin"));
    if (allowed === undefined) return;
    answer.headers.set("Access-Control-Allow-Origin", allowed);
    if (credentials) answer.headers.set("Access-Control-Allow-Credentials", "true");
    if (exposeHeaders.length > 0) {
      answer.headers.set("Access-Control-Expose-Headers", exposeHeaders.join(", "));
    }
  }

  /** Adds to the answer of a preflight what the page may send; nothing for other origins. */
  preflight(exchange: Exchange, answer: Response, methods: string): void {
    this.permit(exchange, answer);
    if (!answer.headers.has("Access-Control-Allow-Origin")) return;
    const asked = exchange.headers.get("access-control-request-headers");
    const { headers, maxAgeSeconds } = this.#spec;
    const allowed = headers.length > 0 ? headers.join(", ") : asked;
    answer.headers.set("Access-Control-Allow-Methods", methods);
    if (allowed !== null) answer.headers.set("Access-Control-Allow-Headers", allowed);
    answer.headers.set("Access-Control-Max-Age", String(maxAgeSeconds));
  }

  #allowed(origin: string | null): string | undefined {
    if (origin === null) return undefined;
    if (this.#spec.origins === "*") return "*";
    return this.#origins.has(origin) ? origin : undefined;
  }
}

import { z } from "zod";
import { admit } from "./admit.ts";
import type { Principal } from "../security/principal.ts";
import type { Exchange } from "./exchange.ts";
import type { HttpEndpoint } from "./route.ts";

/** `cache` of channels: answers that are kept and given again. */
export const responseCacheFields = z.strictObject({
  ttlMs: z.int().min(1).max(86_400_000).meta({
    description: "How long an answer is given again",
    example: 30_000,
  }),
  vary: z.array(z.string().min(1)).max(20).default([]).meta({
    description: "Request headers on which answers depend; each combination is kept apart",
    example: ["Accept-Language"],
  }),
  shared: z.boolean().default(false).meta({
    description: "Whether clients with different credentials get the same answers",
    example: false,
  }),
  entriesMax: z.int().min(1).max(1_000_000).default(1_000).meta({
    description: "Answers kept by each worker; the one unused for longest makes room",
    example: 1_000,
  }),
  entryBytesMax: z.int().min(1).max(16_777_216).default(262_144).meta({
    description: "Largest answer that is kept",
    unit: "bytes",
    example: 262_144,
  }),
});

export type ResponseCacheSpec = z.output<typeof responseCacheFields>;

interface StoredAnswer {
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Uint8Array<ArrayBuffer>;
  readonly storedAt: number;
}

/** Headers that are a request's own, and are made anew for each. */
const ownHeaders = new Set(["x-dragoman-cid", "x-dragoman-server", "connection", "age"]);

/** The answers that one channel keeps, in the memory of one worker. */
export class ResponseCache {
  readonly spec: ResponseCacheSpec;
  readonly #stored = new Map<string, StoredAnswer>();
  readonly #making = new Map<string, Promise<void>>();

  constructor(spec: ResponseCacheSpec) {
    this.spec = spec;
  }

  /**
   * What is stored for the request, or what `make` makes. Requests for the same answer at the same
   * time make it once.
   */
  async answer(exchange: Exchange, make: () => Promise<Response>): Promise<Response> {
    const key = this.#keyOf(exchange);
    const before = this.#replay(key, exchange);
    if (before !== undefined) return before;
    const other = this.#making.get(key);
    if (other !== undefined) {
      await other;
      return this.#replay(key, exchange) ?? await make();
    }
    const done = Promise.withResolvers<void>();
    this.#making.set(key, done.promise);
    try {
      return await this.#keep(key, await make(), exchange);
    } finally {
      this.#making.delete(key);
      done.resolve();
    }
  }

  #replay(key: string, exchange: Exchange): Response | undefined {
    const stored = this.#stored.get(key);
    if (stored === undefined) return undefined;
    this.#stored.delete(key);
    const ageMs = performance.now() - stored.storedAt;
    if (ageMs >= this.spec.ttlMs) return undefined;
    this.#stored.set(key, stored); // the order of the map is the order of use
    const answer = exchange.tools.answers.bytes(stored.body, exchange.cid);
    for (const [name, value] of stored.headers) answer.headers.append(name, value);
    answer.headers.set("Age", String(Math.floor(ageMs / 1_000)));
    return answer;
  }

  async #keep(key: string, answer: Response, { isStreaming }: Exchange): Promise<Response> {
    if (isStreaming || !isKeepable(answer) || !this.#isKeyed(answer)) return answer;
    const { status, headers } = answer;
    const body = await answer.bytes();
    if (body.length <= this.spec.entryBytesMax) {
      const [oldest] = this.#stored.keys();
      if (this.#stored.size >= this.spec.entriesMax && oldest !== undefined) {
        this.#stored.delete(oldest);
      }
      const kept = [...headers].filter(([name]) => !ownHeaders.has(name));
      this.#stored.set(key, { headers: kept, body, storedAt: performance.now() });
    }
    return new Response(body, { status, headers });
  }

  /** Whether the key tells apart what the answer says it depends on. */
  #isKeyed({ headers }: Response): boolean {
    const varies = headers.get("vary");
    if (varies === null) return true;
    const known = this.spec.vary.map((name) => name.toLowerCase());
    return varies.toLowerCase().split(",").map((name) => name.trim())
      .every((name) => known.includes(name));
  }

  #keyOf({ web, headers, principal, path, queryText }: Exchange): string {
    const { vary, shared } = this.spec;
    const client = shared ? null : clientOf(principal);
    // Services see the host, whatever the spec says.
    const varied = ["host", ...vary].map((name) => headers.get(name));
    return JSON.stringify([web.method, path, queryText, client, varied]);
  }
}

/** What tells one token from the next of the same client. */
const ownClaims: ReadonlySet<string> = new Set(["exp", "iat", "jti", "nbf"]);

/** Everything about a client that an answer may depend on. */
function clientOf(principal: Principal | undefined): unknown {
  if (principal === undefined) return null;
  const { kind, name, subject, roles, claims = {} } = principal;
  const said = Object.entries(claims).filter(([claim]) => !ownClaims.has(claim));
  return [kind, name, subject, roles, said];
}

/** Reasons why what a service answers is for this moment, or this client, only. */
const unkeepable = /\b(no-store|private|no-cache)\b|\b(s-maxage|max-age)\s*=\s*"?0\b/i;

/** Only answers that say nothing against it: no cookies, nothing partial. */
function isKeepable({ status, headers, body }: Response): boolean {
  if (status !== 200 || headers.has("set-cookie") || headers.has("content-range")) return false;
  if (unkeepable.test(headers.get("cache-control") ?? "")) return false;
  return body !== null;
}

/** Gives stored answers to GET and HEAD; everything else goes through. */
export class CachedEndpoint implements HttpEndpoint {
  readonly #inner: HttpEndpoint;
  readonly #cache: ResponseCache;

  constructor(inner: HttpEndpoint, cache: ResponseCache) {
    this.#inner = inner;
    this.#cache = cache;
  }

  async answer(exchange: Exchange): Promise<Response> {
    const { method } = exchange.web;
    if (method !== "GET" && method !== "HEAD") return await this.#inner.answer(exchange);
    // Whoever may not have the answer must not have the stored one either.
    await admit(exchange, exchange.route!); // endpoints are reached by a route
    return await this.#cache.answer(exchange, () => this.#inner.answer(exchange));
  }
}

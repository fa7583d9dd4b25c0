import { apiKey, defaultKeyHeader } from "./api-key.ts";
import {
  type Authenticator,
  type Member,
  securityDriver,
  type SecurityRequest,
  type SecurityScheme,
} from "./authenticator.ts";
import { type ClusterKey, tokenDigest } from "./cluster-key.ts";
import type { Principal } from "./principal.ts";
import { sealedDigest } from "./secrets.ts";

interface PreparedKey {
  /** In lower case; undefined when the key is in the query. */
  readonly header: string | undefined;
  readonly query: string | undefined;
  readonly digest: string;
}

/** Checks ApiKey definitions: any number of them costs one look-up for each place of a key. */
export const driver = securityDriver<PreparedKey>({
  prepare({ kind, name, spec }, tools) {
    const { header = defaultKeyHeader, query, key } = apiKey.schema.parse(spec);
    const digest = sealedDigest({ kind, name, field: "key" }, key, tools.key);
    return { header: query === undefined ? header.toLowerCase() : undefined, query, digest };
  },
  combine(members, { key }): Authenticator {
    const headers = ringsBy(members, key, ({ header }) => header);
    const queries = ringsBy(members, key, ({ query }) => query);
    return {
      challenges: ["ApiKey"],
      schemes: [
        ...headers.map(({ place }) => schemeOf("header", place)),
        ...queries.map(({ place }) => schemeOf("query", place)),
      ],
      queryNames: queries.map(({ place }) => place),
      check(request: SecurityRequest): Principal | undefined {
        for (const { place, find } of headers) {
          const token = request.headers.get(place);
          const principal = token === null ? undefined : find(token);
          if (principal !== undefined) return principal;
        }
        for (const { place, find } of queries) {
          const token = request.query(place);
          const principal = token === undefined ? undefined : find(token);
          if (principal !== undefined) return principal;
        }
        return undefined;
      },
    };
  },
});

function schemeOf(where: "header" | "query", place: string): SecurityScheme {
  const name = `ApiKey.${where}.${place}`.replace(/[^\w.-]/g, "_");
  return { name, scheme: { type: "apiKey", in: where, name: place } };
}

/** All keys that are sent in one place. */
interface KeyRing {
  readonly place: string;
  readonly find: (token: string) => Principal | undefined;
}

// Keys are found by their keyed digest, never compared character by character. That digest costs
// 10 us, so that keys which were accepted are found by themselves from then on: a look-up in a Map
// compares hashes of whole texts, under a seed of this process, and tells nothing by its time.
function ringsBy(
  members: readonly Member<PreparedKey>[],
  key: ClusterKey,
  placeOf: (prepared: PreparedKey) => string | undefined,
): KeyRing[] {
  const byPlace = new Map<string, Map<string, Principal>>();
  for (const { prepared, principal } of members) {
    const place = placeOf(prepared);
    if (place === undefined) continue;
    const byDigest = byPlace.get(place) ?? new Map<string, Principal>();
    byDigest.set(prepared.digest, principal);
    byPlace.set(place, byDigest);
  }
  return [...byPlace].map(([place, byDigest]) => {
    const accepted = new Map<string, Principal>();
    const find = (token: string) => {
      const known = accepted.get(token);
      if (known !== undefined) return known;
      const principal = byDigest.get(tokenDigest(token, key));
      if (principal !== undefined) accepted.set(token, principal);
      return principal;
    };
    return { place, find };
  });
}

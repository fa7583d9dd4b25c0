import type { z } from "zod";

/**
 * How a secret field is kept, at rest and on the wire between our processes:
 * - `password`: only ever checked by us, so hashed (scrypt);
 * - `token`: only ever checked by us and looked up on every request, so a keyed digest
 *   (HMAC-SHA-256 under the cluster key);
 * - `encrypted`: needed in clear by the code that uses it (AES-256-GCM under the cluster key).
 */
export type SecretMode = "password" | "token" | "encrypted";

declare module "zod" {
  /** What a field may say of itself beside its type: `z.string().meta({ secret: "token" })`. */
  interface GlobalMeta {
    /** Unit of a number, when its name does not end in it. */
    readonly unit?: string;
    readonly example?: unknown;
    readonly secret?: SecretMode;
  }
}

/**
 * What a kind is for; consoles and documents group by it. `security`: what clients show us;
 * `credential`: what we show others; `data`: what services and channels work with.
 */
export type KindGroup = "channel" | "outgoing" | "security" | "credential" | "data";

/** A field whose value names other things: one name, a list of names, or a record of names. */
export interface ReferenceField {
  readonly field: string;
  /**
   * `Service`, a group (the name is looked up among all kinds of that group), or one kind.
   */
  readonly to: "Service" | KindGroup | { readonly kind: string };
}

/**
 * Everything the platform knows of one kind of configurable object. ODB validation, admin API, CLI,
 * forms, files and reference pages are made from this declaration alone.
 */
export interface Kind<S extends z.ZodObject = z.ZodObject> {
  /** PascalCase, such as `RestChannel`: what files, commands and URLs call it. */
  readonly kind: string;
  readonly group: KindGroup;
  /** One sentence, for help texts and the console. */
  readonly description: string;
  /** A strict object schema; every field has a `description`. */
  readonly schema: S;
  readonly references: readonly ReferenceField[];
  /** True when an operator can test it: `dragoman ping KIND NAME`. */
  readonly canPing?: boolean;
  /**
   * What an object takes for itself alone, such as a path: no other object, of whatever kind, may
   * claim the same.
   */
  readonly claims?: (spec: z.output<S>) => readonly Claim[];
  /**
   * Why `spec` cannot stand beside the other objects of its kind, such as two channels on one
   * path; undefined when it can. Asked inside the transaction that stores it.
   */
  readonly conflict?: (
    spec: z.output<S>,
    others: readonly NamedSpec[],
    name: string,
  ) => string | undefined;
}

/** Something that only one object can have. */
export interface Claim {
  /** Equal for claims that exclude one another. */
  readonly key: string;
  /** In words, such as `GET at "/customers/{id}"`. */
  readonly what: string;
}

export interface NamedSpec {
  readonly name: string;
  readonly spec: Readonly<Record<string, unknown>>;
}

/** Types a kind from its schema. */
export function defineKind<S extends z.ZodObject>(kind: Kind<S>): Kind<S> {
  return Object.freeze(kind);
}

/** All kinds by name. */
export type KindRegistry = ReadonlyMap<string, Kind>;

/** One object as files and the admin API write it. */
export interface ObjectDocument {
  readonly apiVersion: typeof apiVersion;
  readonly kind: string;
  readonly name: string;
  readonly spec: Readonly<Record<string, unknown>>;
}

export const apiVersion = "dragoman/v1";

/** One object as the ODB holds it; secrets in `spec` are sealed. */
export interface StoredObject {
  readonly kind: string;
  readonly name: string;
  readonly spec: Readonly<Record<string, unknown>>;
  /** Counts the changes of this object, from 1. */
  readonly revision: number;
  readonly createdAt: string;
  readonly updatedAt: string;
  /** Who changed it last: `operator/cli`, `web-admin/admin`... */
  readonly updatedBy: string;
}

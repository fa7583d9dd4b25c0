import { PlatformError } from "../../errors/platform-error.ts";
import type { FieldReader } from "../../formats/form-fields.ts";
import { refusePrototypeKeys } from "../../formats/prototype-keys.ts";
import type { Exchange } from "../../http/exchange.ts";
import type { InputSource } from "./fields.ts";

/** Makes what goes into a service's schema. `body` is decoded, or undefined when there was none. */
export interface InputAssembler {
  /** Throws REQUEST_MALFORMED and REQUEST_QUERY_LENGTH. */
  assemble(exchange: Exchange, body: unknown): unknown;
}

export interface MergedInputOptions {
  /** By the service's whole schema. */
  readonly fields: FieldReader;
  /** The first wins. */
  readonly priority: readonly InputSource[];
  readonly queryMax: number;
  /** The field that takes the whole body. */
  readonly bodyField: string | undefined;
}

/**
 * One object made of all sources; a field of an earlier source hides the same field of a later one.
 * Path, query and form carry text, which is read as the types that the schema declares. A body
 * that is not an object is the whole input. Without any of them the input is `{}`, or undefined
 * when the schema takes no object.
 */
export class MergedInput implements InputAssembler {
  readonly #options: MergedInputOptions;
  /** The last of them to write wins. */
  readonly #order: readonly InputSource[];

  constructor(options: MergedInputOptions) {
    this.#options = options;
    this.#order = options.priority.toReversed();
  }

  assemble(exchange: Exchange, decoded: unknown): unknown {
    const { queryText, paramValues } = exchange;
    const { fields, queryMax, bodyField } = this.#options;
    const body = bodyField === undefined || decoded === undefined
      ? decoded
      : { [bodyField]: decoded };
    if (queryText === "" && paramValues.length === 0) {
      return body === undefined ? (fields.isObject ? {} : undefined) : body;
    }
    if (body !== undefined && !isPlainObject(body)) return body;
    const merged: Record<string, unknown> = {};
    for (const source of this.#order) {
      if (source === "body") Object.assign(merged, body);
      else if (source === "path") readPath(exchange, fields, merged);
      else Object.assign(merged, readQuery(exchange, fields, queryMax));
    }
    return merged;
  }
}

export interface SeparateInputOptions {
  /** By the schema's fields `path` and `query`. */
  readonly path: FieldReader;
  readonly query: FieldReader;
  readonly queryMax: number;
}

/** `{ path, query, body }`; `body` is absent when there was none. */
export class SeparateInput implements InputAssembler {
  readonly #options: SeparateInputOptions;

  constructor(options: SeparateInputOptions) {
    this.#options = options;
  }

  assemble(exchange: Exchange, body: unknown): unknown {
    const { path: pathFields, query: queryFields, queryMax } = this.#options;
    const path: Record<string, unknown> = {};
    readPath(exchange, pathFields, path);
    const query = readQuery(exchange, queryFields, queryMax);
    return body === undefined ? { path, query } : { path, query, body };
  }
}

function readPath(
  { route, paramValues }: Exchange,
  fields: FieldReader,
  into: Record<string, unknown>,
): void {
  for (let index = 0; index < paramValues.length; index++) {
    const name = route!.paramNames[index]!; // an input is assembled on a route
    into[name] = fields.readText(name, paramValues[index]!);
  }
}

function readQuery(
  { queryText }: Exchange,
  fields: FieldReader,
  queryMax: number,
): Record<string, unknown> {
  if (queryText === "") return {};
  if (queryText.length > queryMax) {
    throw new PlatformError("REQUEST_QUERY_LENGTH", { limit: queryMax });
  }
  const values = fields.read(new URLSearchParams(queryText));
  refusePrototypeKeys(values);
  return values;
}

function isPlainObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value) &&
    !(value instanceof Uint8Array);
}

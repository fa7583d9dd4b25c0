import { PlatformError } from "../../errors/platform-error.ts";
import { forbiddenKey } from "./body.ts";
import type { Exchange } from "./exchange.ts";
import type { Route } from "./route.ts";

/** Fields in one query or form. */
const fieldsMax = 1_000;

/**
 * What goes into the service's schema; `body` is decoded, or undefined when there was none. Sources in falling order: path, query, body; a field of an
 * earlier one hides the same field of a later one. Path, query and form carry text, which is read
 * as the types that the schema declares. A body that is not an object is the whole input.
 * Without any of them the input is `{}`, or undefined when the schema takes no object.
 */
export function assembleInput(exchange: Exchange, route: Route, body: unknown): unknown {
  const { queryText, paramValues } = exchange;
  if (queryText === "" && paramValues.length === 0) return body === undefined ? empty(route) : body;
  if (body !== undefined && !isPlainObject(body)) return body;
  const merged: Record<string, unknown> = { ...body };
  if (queryText !== "") Object.assign(merged, readForm(queryText, route));
  for (let index = 0; index < paramValues.length; index++) {
    const name = route.paramNames[index]!;
    merged[name] = route.textInput.read(name, [paramValues[index]!]);
  }
  return merged;
}

function empty(route: Route): unknown {
  return route.textInput.isObject ? {} : undefined;
}

function isPlainObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Reads a query or an urlencoded form. Throws REQUEST_MALFORMED for too many or forbidden fields. */
export function readForm(form: string, { textInput }: Route): Record<string, unknown> {
  const texts = new Map<string, string[]>();
  let count = 0;
  for (const [name, text] of new URLSearchParams(form)) {
    if (++count > fieldsMax) {
      throw new PlatformError("REQUEST_MALFORMED", {
        reason: `There are over ${fieldsMax} fields`,
      });
    }
    if (name === "__proto__") throw forbiddenKey(name);
    const known = texts.get(name);
    if (known === undefined) texts.set(name, [text]);
    else known.push(text);
  }
  const values: Record<string, unknown> = {};
  for (const [name, all] of texts) values[name] = textInput.read(name, all);
  return values;
}

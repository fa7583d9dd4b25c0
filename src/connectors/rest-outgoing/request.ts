import type { RequestBody } from "../../http/client/transport.ts";
import type { QueryValue, RestOptions } from "../../service/outgoing/rest-client.ts";

/** Thrown for a call that cannot be sent as the service wrote it; the message says why. */
export class BadCall extends Error {
  override readonly name = "BadCall";
}

const placeholder = /\{([A-Za-z_][\w.-]*)\}/g;

/**
 * The path with its `{name}` parts filled in. Values are percent-encoded, and can neither be empty
 * nor lead to another path. Throws BadCall.
 */
export function renderPath(template: string, params: RestOptions<unknown>["params"] = {}): string {
  if (template !== "" && !template.startsWith("/")) {
    throw new BadCall(`The path "${template}" does not begin with "/"`);
  }
  const unused = new Set(Object.keys(params));
  const path = template.replace(placeholder, (_, name: string) => {
    if (!Object.hasOwn(params, name)) throw new BadCall(`params has no value for {${name}}`);
    unused.delete(name);
    const value = String(params[name]);
    if (value === "") throw new BadCall(`The value of {${name}} is empty`);
    return encodeSegment(value);
  });
  if (unused.size > 0) throw new BadCall(`The path has no {${[...unused].join("}, {")}}`);
  const odd = /[^\x21-\x7e]|[\\?#{}]/.exec(path);
  if (odd !== null) {
    const hint = 'put values under params and "?" under query';
    throw new BadCall(`The path "${template}" has a ${JSON.stringify(odd[0])} in it; ${hint}`);
  }
  if (path.split("/").some((segment) => /^(\.|%2e){1,2}$/i.test(segment))) {
    throw new BadCall(`The path of "${template}" has a segment that is "." or ".."`);
  }
  return path;
}

function encodeSegment(value: string): string {
  try {
    return encodeURIComponent(value);
  } catch {
    throw new BadCall("A value for the path is not well-formed text");
  }
}

/** `?a=1&a=2`, or nothing. */
export function renderQuery(query: RestOptions<unknown>["query"] = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue;
    for (const one of isList(value) ? value : [value]) search.append(name, String(one));
  }
  const text = search.toString();
  return text === "" ? "" : `?${text}`;
}

function isList(value: QueryValue | readonly QueryValue[]): value is readonly QueryValue[] {
  return Array.isArray(value);
}

/** A body on the wire, and what it is. */
export interface EncodedBody {
  readonly body: RequestBody | undefined;
  readonly contentType: string | undefined;
}

const encoder = new TextEncoder();
const formType = "application/x-www-form-urlencoded";

/**
 * Bytes and streams are sent as they are, and so is text whose content type is not JSON; forms are
 * sent as forms, and everything else in the connection's format. Throws BadCall.
 */
export async function encodeBody(
  body: unknown,
  format: "json" | "form",
  contentType: string | null,
): Promise<EncodedBody> {
  if (body === undefined) return { body: undefined, contentType: undefined };
  if (body instanceof ReadableStream || body instanceof Uint8Array) {
    return { body, contentType: contentType ?? "application/octet-stream" };
  }
  if (body instanceof FormData || body instanceof Blob) {
    const web = new Response(body); // writes the parts, and chooses what stands between them
    const own = web.headers.get("content-type") ?? "application/octet-stream";
    return {
      body: await web.bytes(),
      contentType: body instanceof Blob ? contentType ?? own : own,
    };
  }
  if (body instanceof URLSearchParams) return text(body.toString(), contentType ?? formType);
  if (typeof body === "string" && contentType !== null && !/\bjson\b/i.test(contentType)) {
    return text(body, contentType);
  }
  if (format === "form" && contentType === null) {
    if (typeof body !== "object" || body === null) throw new BadCall("The body is no object");
    return text(renderQuery({ ...body }).slice(1), formType);
  }
  return text(toJson(body), contentType ?? "application/json");
}

function text(value: string, contentType: string): EncodedBody {
  return { body: encoder.encode(value), contentType };
}

function toJson(body: unknown): string {
  let json: string | undefined;
  try {
    json = JSON.stringify(body);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new BadCall(`The body cannot be written as JSON: ${reason}`);
  }
  if (json === undefined) throw new BadCall(`A ${typeof body} cannot be written as JSON`);
  return json;
}

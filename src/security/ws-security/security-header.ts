import type { XmlElement } from "../../xml/element.ts";
import { attributeOf, childElements, textOf } from "../../xml/query.ts";
import { wsseNamespace, wsuNamespace } from "./names.ts";

/** The parts of an envelope that security looks at. */
export interface SecuredParts {
  readonly security: XmlElement;
  readonly body: XmlElement;
  /** At most one. */
  readonly timestamp: XmlElement | undefined;
}

const roles = new Set([
  "",
  "http://schemas.xmlsoap.org/soap/actor/next",
  "http://www.w3.org/2003/05/soap-envelope/role/next",
  "http://www.w3.org/2003/05/soap-envelope/role/ultimateReceiver",
]);

/**
 * The Security header that is meant for us, and the body; undefined when there is none, or more
 * than one of anything, which nobody could tell apart.
 */
export function securedParts(envelope: XmlElement): SecuredParts | undefined {
  const { namespace } = envelope;
  const parts = childElements(envelope).filter((one) => one.namespace === namespace);
  const headers = parts.filter(({ name }) => name === "Header");
  const bodies = parts.filter(({ name }) => name === "Body");
  const [header] = headers;
  const [body] = bodies;
  if (header === undefined || body === undefined || headers.length + bodies.length !== 2) {
    return undefined;
  }
  const found = childElements(header).filter((one) =>
    one.name === "Security" && one.namespace === wsseNamespace && isForUs(one, namespace)
  );
  const [security] = found;
  if (security === undefined || found.length !== 1) return undefined;
  const timestamps = childElements(security).filter((one) =>
    one.name === "Timestamp" && one.namespace === wsuNamespace
  );
  return timestamps.length > 1 ? undefined : { security, body, timestamp: timestamps[0] };
}

function isForUs(header: XmlElement, namespace: string): boolean {
  const role = attributeOf(header, "actor", namespace) ?? attributeOf(header, "role", namespace);
  return roles.has(role?.trim() ?? "");
}

export interface Freshness {
  readonly freshnessMs: number;
  readonly clockSkewMs: number;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** True for a time, as `Created` says it, that is neither too old nor in the future. */
export function isFresh(created: string, { freshnessMs, clockSkewMs, now }: Freshness): boolean {
  const at = parseTime(created);
  return at !== undefined && at <= now + clockSkewMs && now - at <= freshnessMs + clockSkewMs;
}

/** True for a Timestamp that is fresh and has not expired. */
export function isTimestampFresh(timestamp: XmlElement, freshness: Freshness): boolean {
  const created = childText(timestamp, "Created");
  const expires = childText(timestamp, "Expires");
  if (created === undefined || !isFresh(created, freshness)) return false;
  if (expires === undefined) return true;
  const end = parseTime(expires);
  return end !== undefined && freshness.now <= end + freshness.clockSkewMs;
}

function childText(element: XmlElement, name: string): string | undefined {
  const found = childElements(element).filter((one) =>
    one.name === name && one.namespace === wsuNamespace
  );
  return found.length === 1 ? textOf(found[0]!).trim() : undefined;
}

// Times without a zone are in UTC, as the specification wants them.
function parseTime(text: string): number | undefined {
  const match = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)?$/.exec(text);
  if (match === null) return undefined;
  const at = Date.parse(match[2] === undefined ? `${text}Z` : text);
  return Number.isNaN(at) ? undefined : at;
}

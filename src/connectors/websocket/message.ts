import { PlatformError } from "../../errors/platform-error.ts";
import { parseJson } from "../../formats/json.ts";

/** What tells a client which of its messages an answer is for. */
export type MessageId = string | number | undefined;

/** What a client sent, as far as it can be understood without knowing the channel. */
export interface Envelope {
  readonly id: MessageId;
  /** Every member of the message. */
  readonly members: Readonly<Record<string, unknown>>;
}

const idLengthMax = 200;

/** Throws REQUEST_MALFORMED. */
export function parseEnvelope(text: string): Envelope {
  const value = parseJson(text);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw malformed("A message is a JSON object");
  }
  const members = value as Record<string, unknown>; // a JSON object
  const { id } = members;
  const isId = id === undefined || typeof id === "number" ||
    typeof id === "string" && id.length <= idLengthMax;
  if (!isId) throw malformed(`An id is a number, or a text of at most ${idLengthMax} characters`);
  return { id, members };
}

/** A message of which more than the envelope makes no sense. */
export function malformed(reason: string): PlatformError {
  return new PlatformError("REQUEST_MALFORMED", { reason });
}

/** The message that a push is, for every client the same. `json` is the data as JSON text. */
export function pushText(json: string, topic: string | undefined): string {
  const about = topic === undefined ? "" : `,"topic":${JSON.stringify(topic)}`;
  return `{"type":"push"${about},"data":${json}}`;
}

/** A good answer. `json` is the output as JSON text; undefined: there is none. */
export function answerText(id: MessageId, json: string | undefined): string {
  const output = json === undefined ? "" : `,"output":${json}`;
  return `{"id":${JSON.stringify(id)},"ok":true${output}}`;
}

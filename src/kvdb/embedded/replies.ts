import { formatDouble } from "./data/numbers.ts";

/** Replies that are the same in both versions of the protocol, encoded as byte strings. */
export const ok = "+OK\r\n";
export const queued = "+QUEUED\r\n";
export const zero = ":0\r\n";
export const one = ":1\r\n";
export const emptyArray = "*0\r\n";

export function simple(text: string): string {
  return `+${text}\r\n`;
}

export function bulk(text: string): string {
  return `$${text.length}\r\n${text}\r\n`;
}

export function integer(value: number | string): string {
  return `:${value}\r\n`;
}

/** `encoded` are replies themselves. */
export function array(encoded: readonly string[]): string {
  return `*${encoded.length}\r\n${encoded.join("")}`;
}

export function bulks(texts: readonly string[]): string {
  return array(texts.map(bulk));
}

/** An error reply; `text` begins with its code, such as `ERR`. Never more than one line. */
export function error(text: string): string {
  return `-${text.replace(/[\r\n]/g, " ")}\r\n`;
}

/** Replies that differ between RESP2 and RESP3. */
export interface Replies {
  readonly version: 2 | 3;
  readonly nil: string;
  readonly nilArray: string;
  double(value: number): string;
  /** Encoded keys and values in turn. */
  map(encoded: readonly string[]): string;
  set(encoded: readonly string[]): string;
  /** What comes without being asked for: messages of channels. */
  push(encoded: readonly string[]): string;
  /** Pairs of encoded replies: one flat list, or a list of lists. */
  pairs(encoded: readonly (readonly [string, string])[]): string;
  /** Text for people. */
  verbatim(text: string): string;
}

export const resp2: Replies = {
  version: 2,
  nil: "$-1\r\n",
  nilArray: "*-1\r\n",
  double: (value) => bulk(formatDouble(value)),
  map: array,
  set: array,
  push: array,
  pairs: (encoded) => array(encoded.flat()),
  verbatim: bulk,
};

export const resp3: Replies = {
  version: 3,
  nil: "_\r\n",
  nilArray: "_\r\n",
  double: (value) => `,${formatDouble(value)}\r\n`,
  map: (encoded) => `%${encoded.length / 2}\r\n${encoded.join("")}`,
  set: (encoded) => `~${encoded.length}\r\n${encoded.join("")}`,
  push: (encoded) => `>${encoded.length}\r\n${encoded.join("")}`,
  pairs: (encoded) => array(encoded.map(array)),
  verbatim: (text) => `=${text.length + 4}\r\ntxt:${text}\r\n`,
};

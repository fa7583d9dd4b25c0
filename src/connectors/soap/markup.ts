import { escapeAttribute, escapeText } from "../../xml/escape.ts";

/** Attributes of an element that is written; undefined is left out. */
export type MarkupAttributes = Readonly<Record<string, string | undefined>>;

/** An element with a prefixed name, for documents whose prefixes are ours. */
export function markup(
  name: string,
  attributes: MarkupAttributes = {},
  ...content: readonly string[]
): string {
  let head = `<${name}`;
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined) head += ` ${key}="${escapeAttribute(value)}"`;
  }
  const inner = content.join("");
  return inner === "" ? `${head}/>` : `${head}>${inner}</${name}>`;
}

/** The text of an element that says something to people; empty for nothing. */
export function markupText(name: string, text: string | undefined): string {
  return text === undefined || text === "" ? "" : `<${name}>${escapeText(text)}</${name}>`;
}

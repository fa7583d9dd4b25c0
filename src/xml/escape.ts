import { PlatformError } from "../errors/platform-error.ts";

// deno-lint-ignore no-control-regex -- control characters are what is looked for
const inText = /[&<>\r\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]/;
// deno-lint-ignore no-control-regex -- control characters are what is looked for
const inAttribute = /[&<>"\x00-\x1f\ud800-\udfff\ufffe\uffff]/;

const replacements: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  // White space that a parser would turn into something else.
  "\r": "&#13;",
  "\n": "&#10;",
  "\t": "&#9;",
};

/** Text between tags. Throws XML_UNWRITABLE for characters that XML has no way to say. */
export function escapeText(text: string): string {
  return inText.test(text) ? escapeAll(text, /[&<>\r]/g) : text;
}

/** Text between double quotes. Throws XML_UNWRITABLE for characters that XML has no way to say. */
export function escapeAttribute(text: string): string {
  return inAttribute.test(text) ? escapeAll(text, /[&<>"\r\n\t]/g) : text;
}

function escapeAll(text: string, special: RegExp): string {
  // deno-lint-ignore no-control-regex -- control characters are what is looked for
  const forbidden = /[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|\p{Surrogate}/u.exec(text);
  if (forbidden === null) return text.replace(special, (one) => replacements[one]!);
  const code = forbidden[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, "0");
  throw new PlatformError("XML_UNWRITABLE", {
    where: `character ${forbidden.index} of a text`,
    reason: `XML has no character U+${code}`,
  });
}

const nameStart = "A-Za-z_\\u{C0}-\\u{D6}\\u{D8}-\\u{F6}\\u{F8}-\\u{2FF}\\u{370}-\\u{37D}" +
  "\\u{37F}-\\u{1FFF}\\u{200C}\\u{200D}\\u{2070}-\\u{218F}\\u{2C00}-\\u{2FEF}" +
  "\\u{3001}-\\u{D7FF}\\u{F900}-\\u{FDCF}\\u{FDF0}-\\u{FFFD}\\u{10000}-\\u{EFFFF}";
const name = new RegExp(
  `^[${nameStart}][${nameStart}0-9.\\-\\u{B7}\\u{300}-\\u{36F}\\u{203F}\\u{2040}]*$`,
  "u",
);

/** True for a name without a colon that elements and attributes can have (an NCName). */
export function isXmlName(text: string): boolean {
  return name.test(text);
}

import type { ErrorCode } from "../error-code.ts";

export const xmlCodes = {
  XML_MALFORMED: {
    kind: "input",
    status: 400,
    message: "The XML is not well-formed at line {line}, column {column}: {reason}",
    advice: "Correct the document, or write it with an XML library",
  },
  XML_FORBIDDEN: {
    kind: "input",
    status: 400,
    message: "The XML has {what} at line {line}, column {column}, which is not taken",
    advice: "Send a document without it",
  },
  XML_LIMIT: {
    kind: "input",
    status: 400,
    message: "The XML has {what}, more than {limit}, at line {line}, column {column}",
    advice: "Send less at once",
  },
  XML_ENCODING: {
    kind: "input",
    status: 400,
    message: "The XML cannot be read as {encoding}: {reason}",
    advice: "Send UTF-8, and say so in the XML declaration or not at all",
  },
  XML_UNWRITABLE: {
    kind: "bug",
    status: 500,
    message: "The value at {where} cannot be written as XML: {reason}",
    advice: "Return plain values, and texts without control characters",
  },
} as const satisfies Record<string, ErrorCode>;

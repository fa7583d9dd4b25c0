import type { ErrorCode } from "../error-code.ts";

export const soapCodes = {
  SOAP_MALFORMED: {
    kind: "input",
    status: 400,
    message: "The message is no SOAP envelope: {reason}",
    advice: "Send an envelope with one element in its body, as the WSDL at ?wsdl says",
  },
  SOAP_VERSION_MISMATCH: {
    kind: "input",
    status: 400,
    message: "The channel takes SOAP {versions}, and the envelope is of another version",
    advice: "Send an envelope of a version that the WSDL at ?wsdl names",
  },
  SOAP_NOT_UNDERSTOOD: {
    kind: "input",
    status: 400,
    message: 'The header "{header}" must be understood, and is not',
    advice: "Leave the header out, or name it in the channel's list understands",
  },
  SOAP_OPERATION_UNKNOWN: {
    kind: "input",
    status: 400,
    message: 'There is no operation "{operation}"{hint}',
    advice: "Call an operation that the WSDL at ?wsdl names",
  },
  SOAP_ACTION_MISMATCH: {
    kind: "input",
    status: 400,
    message: 'The action "{action}" is not that of the operation "{operation}" in the body',
    advice: "Send the action that the WSDL at ?wsdl says, or none",
  },
  SOAP_WSDL_INVALID: {
    kind: "input",
    status: 400,
    message: "The WSDL cannot be used: {where}: {reason}",
    advice: "Correct the WSDL, or give it with everything that it imports",
  },
  SOAP_FAULT: {
    kind: "peer",
    status: 502,
    message: 'SoapOutgoing "{name}" answered {operation} with the fault {code}: {reason}',
    advice: "Look at details.detail for what the other side says",
  },
} as const satisfies Record<string, ErrorCode>;

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

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

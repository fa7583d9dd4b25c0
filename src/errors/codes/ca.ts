import type { ErrorCode } from "../error-code.ts";

/** The certificate authority (`CA_`), and the transport that its certificates make (`MTLS_`). */
export const caCodes = {
  CA_NOT_EMPTY: {
    kind: "input",
    status: 409,
    message: 'Cannot create a certificate authority in "{directory}": the directory is not empty',
    advice: "Name a directory that does not exist yet, or empty this one",
  },
  CA_INVALID_REQUEST: {
    kind: "input",
    status: 400,
    message: "Cannot issue a certificate: {what} is {value}, wanted {wanted}",
    advice: "Correct the {what} and ask again; nothing was issued",
  },
  CA_NO_PASSWORD: {
    kind: "input",
    status: 500,
    message: 'The password of the authority in "{directory}" is not at "{file}"',
    advice: "Put it there, or name its file in DRAGOMAN_CA_PASSWORD_FILE",
  },
  CA_WRONG_PASSWORD: {
    kind: "input",
    status: 403,
    message: 'The password in "{file}" does not open the key of the authority in "{directory}"',
    advice: "Restore the password that the authority was created with",
  },
  CA_DAMAGED: {
    kind: "state",
    status: 500,
    message: 'The authority in "{directory}" is damaged: {reason}',
    advice: "Restore the ca-material folder from a backup",
  },
  CA_EXPIRED: {
    kind: "state",
    status: 409,
    message: 'The authority in "{directory}" ended on {notAfter} and can issue nothing more',
    advice: "Create a new authority and issue new certificates for every component",
  },
  CA_UNKNOWN_SERIAL: {
    kind: "input",
    status: 404,
    message: 'The authority in "{directory}" has issued no certificate with serial {serial}',
    advice: "List the certificates and name one of their serials",
  },
  CA_REPLACED: {
    kind: "state",
    status: 409,
    message: "Certificate {serial} was already replaced by {replacedBy}",
    advice: "Renew {replacedBy} instead",
  },
  CA_BUSY: {
    kind: "state",
    status: 409,
    message: 'The authority in "{directory}" is in use by process {owner}',
    advice: 'Wait for it to end; if it is not one of ours, delete "{lock}"',
  },
  CA_CANNOT_INSTALL: {
    kind: "input",
    status: 500,
    message: 'Cannot install the certificate in "{directory}": {reason}',
    advice: "Name a component's directory that you may write to",
  },
  MTLS_FILE_MISSING: {
    kind: "input",
    status: 500,
    message: 'Cannot read "{file}", which this component needs to prove who it is: {reason}',
    advice: "Issue a certificate with {command} and put its cert.pem, key.pem and ca.pem into " +
      '"{folder}"',
  },
  MTLS_MALFORMED: {
    kind: "input",
    status: 500,
    message: '"{file}" is not usable: {reason}',
    advice: "Replace it with the file that came with the certificate",
  },
  MTLS_KEY_MISMATCH: {
    kind: "input",
    status: 500,
    message: '"{key}" is not the key of the certificate in "{cert}"',
    advice: "Install certificate and key of one and the same issue",
  },
  MTLS_WRONG_CA: {
    kind: "input",
    status: 500,
    message: 'The certificate in "{cert}" was not issued by the authority in "{ca}"',
    advice: "Install the ca.pem that came with the certificate",
  },
  MTLS_NOT_VALID_NOW: {
    kind: "input",
    status: 500,
    message: 'The certificate in "{cert}" is valid from {notBefore} to {notAfter}, and it is {now}',
    advice: "Renew the certificate, or set this machine's clock",
  },
  MTLS_CANNOT_LISTEN: {
    kind: "state",
    status: 409,
    message: "Cannot listen on {host}:{port}: {reason}",
    advice: "End the program that listens there, or configure another address",
  },
  MTLS_INVALID_ADDRESS: {
    kind: "input",
    status: 400,
    message: '"{address}" is not an address of the form https://host:port',
    advice: "Correct the address",
  },
  MTLS_UNREACHABLE: {
    kind: "peer",
    status: 502,
    message: "Cannot reach {address}: {reason}",
    advice: "Check that the component is running and that this is its address",
  },
  MTLS_TIMEOUT: {
    kind: "peer",
    status: 504,
    message: "{address} did not answer {operation} within {timeoutMs} ms",
    advice: "Look into the log of that component, or allow more time",
  },
  MTLS_UNTRUSTED: {
    kind: "input",
    status: 502,
    message: "Cannot trust {address}: {reason}",
    advice: "Check that both sides have certificates of the same authority and cluster",
  },
  MTLS_BAD_ANSWER: {
    kind: "peer",
    status: 502,
    message: "{address} answered {operation} in an unexpected way: {reason}",
    advice: "Check that both sides run the same version and that this is the right address",
  },
  MTLS_NO_IDENTITY: {
    kind: "input",
    status: 403,
    message: "The caller's certificate names no identity of the form spiffe://cluster/role/name",
    advice: "Call with a certificate that the cluster's authority issued for a component",
  },
  MTLS_OTHER_CLUSTER: {
    kind: "input",
    status: 403,
    message: 'The caller belongs to cluster "{found}", not to cluster "{wanted}"',
    advice: 'Call with a certificate of cluster "{wanted}"',
  },
  MTLS_ROLE_REFUSED: {
    kind: "input",
    status: 403,
    message: "{operation} is not for the role {role}, only for {roles}",
    advice: "Call with a certificate of one of these roles: {roles}",
  },
  MTLS_UNKNOWN_PATH: {
    kind: "input",
    status: 404,
    message: 'There is nothing at "{path}"{hint}',
    advice: "Check the path; both sides must run the same version",
  },
  MTLS_WRONG_METHOD: {
    kind: "input",
    status: 405,
    message: '"{path}" takes {allowed}, not {method}',
    advice: "Use one of the methods {allowed}",
  },
  MTLS_BODY_TOO_LARGE: {
    kind: "input",
    status: 413,
    message: "The request body is larger than the limit of {limitBytes} bytes",
    advice: "Send less at a time",
  },
  MTLS_BODY_SYNTAX: {
    kind: "input",
    status: 400,
    message: "The request body is not JSON: {reason}",
    advice: "Send one JSON value in UTF-8",
  },
} as const satisfies Record<string, ErrorCode>;

import type { ErrorCode } from "../error-code.ts";

export const securityCodes = {
  SECURITY_KEY_INVALID: {
    kind: "input",
    status: 400,
    message: "The cluster key is not 32 bytes of base64url",
    advice: "Put the cluster's own key into the file secrets/cluster.key",
  },
  SECURITY_KEY_OTHER: {
    kind: "input",
    status: 400,
    message: "A secret is sealed with the cluster key {sealed}, this is the key {key}",
    advice: "Use the cluster's own key, or apply the object again with its secret",
  },
  SECURITY_SECRET_MISSING: {
    kind: "input",
    status: 400,
    message: '{kind} "{name}": the secret field "{field}" is missing',
    advice: "Give the field a value; a secret can be left out only when it has been set before",
  },
  SECURITY_SECRET_RESERVED: {
    kind: "input",
    status: 400,
    message: '{kind} "{name}": the secret field "{field}" begins with "dragoman:"',
    advice: "Choose another secret; that beginning marks sealed values",
  },
  SECURITY_SEAL_BROKEN: {
    kind: "input",
    status: 400,
    message: '{kind} "{name}": the secret field "{field}" cannot be unsealed',
    advice: "Apply the object again with its secret",
  },
  SECURITY_CREDENTIAL_UNKNOWN: {
    kind: "input",
    status: 400,
    message: "{kind} is no kind of credential",
    advice: "Refer to an object of a kind of credentials",
  },
  SECURITY_NTLM_FAILED: {
    kind: "peer",
    status: 502,
    message: 'Ntlm "{name}" cannot authenticate: {reason}',
    advice: "Check that the address is right and that the other side offers NTLM",
  },
  SECURITY_TOKEN_REFUSED: {
    kind: "peer",
    status: 502,
    message: 'OAuthClient "{name}" got no token: {reason}',
    advice: "Check clientId, clientSecret, grant and scopes against the authorization server",
  },
  SECURITY_TOKEN_UNREACHABLE: {
    kind: "peer",
    status: 502,
    message: 'OAuthClient "{name}" cannot reach the authorization server: {reason}',
    advice: "Check tokenUrl, tlsCa and the network between this server and that one",
  },
} as const satisfies Record<string, ErrorCode>;

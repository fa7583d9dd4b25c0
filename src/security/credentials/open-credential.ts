import type { StoredObject } from "../../catalog/kind.ts";
import { PlatformError } from "../../errors/platform-error.ts";
import type { ClusterKey } from "../cluster-key.ts";
import { openApiKeyCredentials } from "./api-key-credentials.ts";
import { openBasicCredentials } from "./basic-credentials.ts";
import type { Credential, CredentialOpener } from "./credential.ts";
import { openNtlm } from "./ntlm/ntlm-credential.ts";
import { openOauthClient } from "./oauth/oauth-credential.ts";

const openers: ReadonlyMap<string, CredentialOpener> = new Map([
  ["ApiKeyCredentials", openApiKeyCredentials],
  ["BasicCredentials", openBasicCredentials],
  ["Ntlm", openNtlm],
  ["OAuthClient", openOauthClient],
]);

/**
 * Makes a credential ready to use; nothing is sent yet. Throws SECURITY_CREDENTIAL_UNKNOWN for
 * other kinds, what unsealing throws, or a zod error for a broken spec.
 */
export function openCredential(object: StoredObject, key: ClusterKey): Credential {
  const open = openers.get(object.kind);
  if (open !== undefined) return open(object, key);
  throw new PlatformError("SECURITY_CREDENTIAL_UNKNOWN", { kind: object.kind });
}

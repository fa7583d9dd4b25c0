import type { Kind, KindRegistry } from "../catalog/kind.ts";
import { rateLimit } from "../http/rate-limit/kind.ts";
import { calendar } from "../scheduler/kinds/calendar.ts";
import { job } from "../scheduler/kinds/job.ts";
import { apiKey } from "../security/api-key.ts";
import { basicAuth } from "../security/basic-auth.ts";
import { clientCertificate } from "../security/client-certificate/index.ts";
import { apiKeyCredentials } from "../security/credentials/api-key-credentials.ts";
import { basicCredentials } from "../security/credentials/basic-credentials.ts";
import { ntlm } from "../security/credentials/ntlm/index.ts";
import { oauthClient } from "../security/credentials/oauth/index.ts";
import { jwt } from "../security/jwt/index.ts";
import { securityGroup } from "../security/security-group.ts";
import { wsSecurity } from "../security/ws-security/index.ts";
import { cache } from "../service/kinds/cache.ts";
import { dictionary } from "../service/kinds/dictionary.ts";
import { userConfig } from "../service/kinds/user-config.ts";
import { serviceSettings } from "../service/kinds/service-settings.ts";
import { restChannel } from "./rest/index.ts";
import { soapChannel } from "./soap/index.ts";
import { webSocketChannel } from "./websocket/index.ts";
import { restOutgoing } from "./rest-outgoing/index.ts";
import { soapOutgoing } from "./soap-outgoing/index.ts";

/** Every kind of object there is, by name. */
export const kinds: KindRegistry = new Map<string, Kind>(
  // A kind of a narrower schema takes narrower specs; whoever calls it has validated them.
  [
    cache,
    dictionary,
    userConfig,
    serviceSettings,
    rateLimit,
    job,
    calendar,
    restChannel,
    soapChannel,
    webSocketChannel,
    restOutgoing,
    soapOutgoing,
    basicAuth,
    apiKey,
    jwt,
    wsSecurity,
    clientCertificate,
    securityGroup,
    basicCredentials,
    apiKeyCredentials,
    oauthClient,
    ntlm,
  ].map((kind) => [kind.kind, kind as Kind]),
);

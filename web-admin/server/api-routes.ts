import { z } from "zod";
import type { WebAdminConfig } from "../../src/config/schemas.ts";
import { version } from "../../src/config/component.ts";
import type { Logger } from "../../src/telemetry/logger.ts";
import type { SessionView } from "../shared/session.ts";
import { ofCluster } from "./admin-access.ts";
import { deploymentRoutes } from "./deployment-routes.ts";
import type { Deployments } from "./deployments.ts";
import type { EventStreams } from "./events.ts";
import { jobRoutes } from "./job-routes.ts";
import type { Jobs } from "./jobs.ts";
import type { LogIn } from "./login.ts";
import type { ClusterWatch } from "./overview/watch.ts";
import { readJson } from "./http/request-checks.ts";
import type { ApiRoute } from "./http/router.ts";
import type { SessionCookie } from "./http/session-cookie.ts";
import type { Session, SessionStore } from "./sessions.ts";
import { passwordLength } from "./users.ts";

const loginSchema = z.strictObject({
  username: z.string().max(128),
  password: z.string().max(passwordLength.most),
});

/** What the routes stand on. */
export interface ApiParts {
  readonly config: WebAdminConfig;
  readonly sessions: SessionStore;
  readonly cookie: SessionCookie;
  readonly logIn: LogIn;
  readonly streams: EventStreams;
  readonly watches: ReadonlyMap<string, ClusterWatch>;
  readonly deployments: ReadonlyMap<string, Deployments>;
  readonly jobs: ReadonlyMap<string, Jobs>;
  readonly logger: Logger;
}

/** Everything under `/api`, for the pages alone. */
export function createApiRoutes(parts: ApiParts): readonly ApiRoute[] {
  return [
    ...sessionRoutes(parts),
    ...clusterRoutes(parts),
    ...deploymentRoutes(parts),
    ...jobRoutes(parts),
  ];
}

function sessionRoutes(parts: ApiParts): readonly ApiRoute[] {
  const { sessions, cookie, streams } = parts;
  const endSession = ({ id }: Session) => {
    sessions.end(id);
    streams.endSession(id);
  };
  return [
    {
      method: "POST",
      path: "/api/login",
      access: "anyone",
      async handle({ request, response, address }) {
        const credentials = await readJson(request, loginSchema);
        const username = await parts.logIn(credentials, address);
        // Never the session of before: whoever knew its token must not share the new one.
        const before = sessions.find(cookie.read(request) ?? "");
        if (before !== undefined) endSession(before);
        const { token, session } = sessions.begin(username);
        response.setHeader("Set-Cookie", cookie.render(token));
        return sessionView(parts, session);
      },
    },
    {
      method: "POST",
      path: "/api/logout",
      access: "session",
      handle({ response, address }, session) {
        endSession(session);
        response.setHeader("Set-Cookie", cookie.renderGone());
        parts.logger.info("logged out", { user: session.username, address });
      },
    },
    {
      method: "GET",
      path: "/api/session",
      // Open to anyone, and null for strangers: a page that asks who is there has done no wrong.
      access: "anyone",
      handle({ request }) {
        const session = sessions.find(cookie.read(request) ?? "");
        return session === undefined ? null : sessionView(parts, session);
      },
    },
  ];
}

function clusterRoutes({ streams, watches }: ApiParts): readonly ApiRoute[] {
  return [
    {
      method: "GET",
      path: "/api/clusters/:cluster/overview",
      access: "session",
      handle: ({ params }) => ofCluster(watches, params["cluster"]).latest(),
    },
    {
      method: "GET",
      path: "/api/clusters/:cluster/events",
      access: "session",
      handle: (call, session) =>
        streams.stream(call, session, ofCluster(watches, call.params["cluster"])),
    },
  ];
}

function sessionView({ config }: ApiParts, { username, csrfToken }: Session): SessionView {
  const clusters = config.clusters.map(({ name, environment }) => ({ name, environment }));
  return { username, csrfToken, version, clusters };
}

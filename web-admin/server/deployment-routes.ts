import { z } from "zod";
import type { Logger } from "../../src/telemetry/logger.ts";
import { ofCluster } from "./admin-access.ts";
import type { Deployments } from "./deployments.ts";
import { readJson } from "./http/request-checks.ts";
import type { ApiRoute } from "./http/router.ts";

/** A source of 5 MiB as JSON text, where a character may take two. */
const bodyBytesMax = 11 * 1024 * 1024;

const uploadSchema = z.strictObject({ name: z.string().max(200), source: z.string() });

export interface DeploymentParts {
  readonly deployments: ReadonlyMap<string, Deployments>;
  readonly logger: Logger;
}

/** What is deployed, and deploying one file from the page. */
export function deploymentRoutes({ deployments, logger }: DeploymentParts): readonly ApiRoute[] {
  return [
    {
      method: "GET",
      path: "/api/clusters/:cluster/deployments",
      access: "session",
      handle: ({ params }) => ofCluster(deployments, params["cluster"]).list(),
    },
    {
      method: "POST",
      path: "/api/clusters/:cluster/deployments",
      access: "session",
      async handle({ request, params }, { username }) {
        const target = ofCluster(deployments, params["cluster"]);
        const upload = await readJson(request, uploadSchema, { bytesMax: bodyBytesMax });
        const result = await target.deploy(upload, username);
        const { outcome, revision } = result;
        logger.info("file deployed", { user: username, file: upload.name, outcome, revision });
        return result;
      },
    },
  ];
}

import { z } from "zod";
import { PlatformError } from "../../errors/platform-error.ts";
import type { Route } from "../../mtls/json-api.ts";
import type { DeploymentView } from "../api.ts";
import type { AdminContext } from "../context.ts";
import { authorOf } from "../context.ts";
import { deploy, tryHere } from "../deploy.ts";
import { parseBody } from "../request-body.ts";

const fileName = /^[a-z0-9][a-z0-9._-]{0,150}\.(ts|mts|js|mjs)$/i;

const deployRequest = z.strictObject({
  files: z.array(z.strictObject({
    name: z.string(),
    code: z.string().min(1),
    sourceMap: z.string(),
  })).min(1).max(1_000),
});

const checkRequest = z.strictObject({
  files: z.array(z.strictObject({
    file: z.string().regex(fileName),
    hash: z.string().regex(/^[0-9a-f]{64}$/),
  })).min(1).max(1_000),
});

/** Bringing source files of services to the cluster. */
export function deploymentRoutes(context: AdminContext): readonly Route[] {
  return [
    {
      method: "GET",
      path: "/v1/deployments",
      roles: ["operator", "web-admin"],
      handle: (): Promise<readonly DeploymentView[]> =>
        context.link.use((store) => store.listDeployments()),
    },
    {
      method: "POST",
      path: "/v1/deployments",
      roles: ["operator", "web-admin"],
      handle(request) {
        const { files } = parseBody(deployRequest, request);
        const names = new Set<string>();
        for (const { name } of files) {
          if (!fileName.test(name)) throw new PlatformError("DEPLOY_FILE_NAME", { file: name });
          if (names.has(name)) throw new PlatformError("DEPLOY_SAME_NAME", { file: name });
          names.add(name);
        }
        return deploy(context, files, authorOf(request));
      },
    },
    {
      method: "POST",
      path: "/v1/deployments/check",
      roles: ["server"],
      handle: (request) => tryHere(context, parseBody(checkRequest, request).files),
    },
  ];
}

import { z } from "zod";
import { PlatformError } from "../../errors/platform-error.ts";
import type { Route } from "../../mtls/json-api.ts";
import { bundleSource } from "../../server/deploy/bundle.ts";
import { isSourceName } from "../../server/deploy/source-name.ts";
import type { DeploymentDetail, DeploymentView, DeployResult, UndeployResult } from "../api.ts";
import { type AdminContext, authorOf } from "../context.ts";
import { deploy, tryHere } from "../deploy/deploy.ts";
import { rollBack, showDeployment, undeploy } from "../deploy/versions.ts";
import { parseBody } from "../request-body.ts";

const sourceBytesMax = 5 * 1024 * 1024;

const deployRequest = z.strictObject({
  files: z.array(z.strictObject({
    name: z.string(),
    code: z.string().min(1),
    sourceMap: z.string(),
  })).min(1).max(1_000),
});

const sourceRequest = z.strictObject({ name: z.string(), source: z.string() });

const rollbackRequest = z.strictObject({
  to: z.string().regex(/^[0-9a-f]{4,64}$/, "4 to 64 digits of a hash, such as 1c5a40").optional(),
});

const checkRequest = z.strictObject({
  files: z.array(z.strictObject({
    file: z.string().refine(isSourceName),
    hash: z.string().regex(/^[0-9a-f]{64}$/),
  })).min(1).max(1_000),
});

/** Bringing source files of services to the cluster, and taking them back. */
export function deploymentRoutes(context: AdminContext): readonly Route[] {
  return [...bringingRoutes(context), ...versionRoutes(context)];
}

function bringingRoutes(context: AdminContext): readonly Route[] {
  return [
    {
      method: "POST",
      path: "/v1/deployments",
      roles: ["operator", "web-admin"],
      handle(request): Promise<DeployResult> {
        const { files } = parseBody(deployRequest, request);
        const names = new Set<string>();
        for (const { name } of files) {
          requireSourceName(name);
          if (names.has(name)) throw new PlatformError("DEPLOY_SAME_NAME", { file: name });
          names.add(name);
        }
        return deploy(context, files, authorOf(request));
      },
    },
    {
      method: "POST",
      path: "/v1/deployments/source",
      roles: ["operator", "web-admin"],
      async handle(request): Promise<DeployResult> {
        const { name, source } = parseBody(sourceRequest, request);
        requireSourceName(name);
        const sizeBytes = Buffer.byteLength(source);
        if (sizeBytes > sourceBytesMax) {
          const limitBytes = sourceBytesMax;
          throw new PlatformError("DEPLOY_SOURCE_SIZE", { file: name, sizeBytes, limitBytes });
        }
        return await deploy(context, [await bundleSource({ name, source })], authorOf(request));
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

function versionRoutes(context: AdminContext): readonly Route[] {
  return [
    {
      method: "GET",
      path: "/v1/deployments",
      roles: ["operator", "web-admin"],
      handle: (): Promise<readonly DeploymentView[]> =>
        context.link.use((store) => store.listDeployments()),
    },
    {
      method: "GET",
      path: "/v1/deployments/:file",
      roles: ["operator", "web-admin"],
      handle: ({ params }): Promise<DeploymentDetail> => showDeployment(context, params["file"]!),
    },
    {
      method: "POST",
      path: "/v1/deployments/:file/rollback",
      roles: ["operator", "web-admin"],
      handle(request): Promise<DeployResult> {
        const { to } = parseBody(rollbackRequest, request);
        const target = { file: request.params["file"]!, by: authorOf(request) };
        return rollBack(context, to === undefined ? target : { ...target, to });
      },
    },
    {
      method: "DELETE",
      path: "/v1/deployments/:file",
      roles: ["operator", "web-admin"],
      handle: (request): Promise<UndeployResult> =>
        undeploy(context, request.params["file"]!, authorOf(request)),
    },
  ];
}

function requireSourceName(file: string): void {
  if (!isSourceName(file)) throw new PlatformError("DEPLOY_FILE_NAME", { file });
}

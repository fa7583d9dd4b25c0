import { z } from "zod";
import { describeIssues } from "../../config/yaml-source.ts";
import { PlatformError } from "../../errors/platform-error.ts";
import type { Role } from "../../mtls/identity.ts";
import type { ApiRequest, Route } from "../../mtls/json-api.ts";
import { parseRevision, type StoredRevision } from "../configuration/history.ts";
import type { PeerRevisions } from "../configuration/peers.ts";
import { authorOf } from "./author.ts";
import type { Author, Operator } from "./operator.ts";
import { parseServerName } from "./registration.ts";

/** What the routes that change the configuration are made of. */
export interface ConfigurationParts {
  readonly operator: Pick<Operator, keyof Operator>;
  /** Everything that this agent has, oldest first. */
  revisions(): readonly StoredRevision[];
  adopt(revisions: readonly StoredRevision[]): Promise<void>;
  /** One of the engine's own commands. */
  command(text: string): Promise<string>;
  statistics(): Promise<unknown>;
}

const administrators: readonly Role[] = ["web-admin", "operator"];

const bodySchema = z.strictObject({
  document: z.unknown().optional(),
  why: z.string().trim().min(1).max(500).optional(),
  force: z.boolean().optional(),
  base: z.object({ revision: z.int(), at: z.string(), origin: z.string() }).nullable().optional(),
  weight: z.unknown().optional(),
  address: z.unknown().optional(),
  algorithm: z.unknown().optional(),
  /** A revision. */
  to: z.string().max(100).optional(),
  command: z.string().max(1_000).optional(),
  ifOthersServe: z.boolean().optional(),
});

/** The operations of people, and those by which agents keep in step. */
export function createConfigurationRoutes(parts: ConfigurationParts): readonly Route[] {
  const { operator } = parts;
  const by = administrators;
  return [
    {
      method: "POST",
      path: "/v1/servers/:name/maintenance",
      roles: by,
      handle: (request) => operator.setState(nameOf(request), "maintenance", authored(request)),
    },
    {
      method: "PUT",
      path: "/v1/servers/:name/weight",
      roles: by,
      handle: (request) =>
        operator.setWeight(nameOf(request), bodyOf(request).weight, authored(request)),
    },
    {
      method: "PUT",
      path: "/v1/servers/:name/address",
      roles: by,
      handle: (request) =>
        operator.addServer(nameOf(request), bodyOf(request).address, authored(request)),
    },
    {
      method: "PUT",
      path: "/v1/algorithm",
      roles: by,
      handle: (request) => operator.setAlgorithm(bodyOf(request).algorithm, authored(request)),
    },
    { method: "GET", path: "/v1/statistics", roles: by, handle: () => parts.statistics() },
    {
      method: "POST",
      path: "/v1/command",
      roles: ["operator"],
      handle: async (request) => ({ answer: await parts.command(bodyOf(request).command ?? "") }),
    },
    ...documentRoutes(operator),
    ...peerRoutes(parts),
  ];
}

function documentRoutes(operator: ConfigurationParts["operator"]): readonly Route[] {
  const roles = administrators;
  return [
    { method: "GET", path: "/v1/configuration", roles, handle: () => operator.view() },
    {
      method: "PUT",
      path: "/v1/configuration",
      roles,
      handle: (request) => {
        const { document, base } = bodyOf(request);
        return operator.replace(document, { ...authored(request), base });
      },
    },
    {
      method: "POST",
      path: "/v1/configuration/check",
      roles,
      handle: (request) => operator.check(bodyOf(request).document),
    },
    {
      method: "POST",
      path: "/v1/configuration/diff",
      roles,
      handle: (request) => {
        const { document, to } = bodyOf(request);
        return to === undefined ? operator.diff(document) : operator.diffTo(to);
      },
    },
    {
      method: "GET",
      path: "/v1/configuration/history",
      roles,
      handle: () => ({ revisions: operator.history() }),
    },
    {
      method: "GET",
      path: "/v1/configuration/history/:id",
      roles,
      handle: ({ params }) => operator.find(params["id"] ?? ""),
    },
    {
      method: "POST",
      path: "/v1/configuration/revert",
      roles,
      handle: (request) => operator.revert(bodyOf(request).to ?? "", authored(request)),
    },
  ];
}

function peerRoutes({ revisions, adopt }: ConfigurationParts): readonly Route[] {
  const roles: readonly Role[] = ["load-balancer"];
  const path = "/v1/peer/revisions";
  return [
    {
      method: "GET",
      path,
      roles,
      handle: ({ query }): PeerRevisions => {
        const after = Number(query.get("after") ?? 0);
        const later = revisions().filter(({ revision }) => revision > after);
        return { revisions: query.has("last") ? later.slice(-1) : later };
      },
    },
    {
      method: "PUT",
      path,
      roles,
      handle: (request) => adopt(parseRevisions(request.body)),
    },
  ];
}

/** Who asks, and why, for the history, and how firmly. */
export function authored(request: ApiRequest): Author {
  const { why, force } = bodyOf(request);
  return { by: authorOf(request), why, force };
}

/** The fields that any of these routes knows. Throws BALANCER_BAD_CONFIGURATION. */
export function bodyOf({ body }: ApiRequest): z.infer<typeof bodySchema> {
  const result = bodySchema.safeParse(body ?? {});
  if (result.success) return result.data;
  throw badRequest(describeIssues(result.error, bodySchema).map(({ reason }) => reason));
}

function parseRevisions(body: unknown): readonly StoredRevision[] {
  const result = z.object({ revisions: z.array(z.unknown()).max(1_000) }).safeParse(body);
  if (!result.success) throw badRequest(["it holds no revisions"]);
  try {
    return result.data.revisions.map(parseRevision);
  } catch (error) {
    throw badRequest([error instanceof z.ZodError ? z.prettifyError(error) : "not a revision"]);
  }
}

function badRequest(reasons: readonly string[]): PlatformError {
  return new PlatformError("BALANCER_BAD_CONFIGURATION", { reason: reasons.join("; ") });
}

function nameOf({ params }: ApiRequest): string {
  return parseServerName(params["name"]);
}

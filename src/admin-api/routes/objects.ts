import { z } from "zod";
import { withDefaults, withoutDefaults } from "../../catalog/defaults.ts";
import { apiVersion, type Kind, type StoredObject } from "../../catalog/kind.ts";
import { PlatformError } from "../../errors/platform-error.ts";
import { didYouMean } from "../../lib/nearest-name.ts";
import type { ApiRequest, Route } from "../../mtls/json-api.ts";
import type { ChangeResult, ClusterStore, ObjectChange } from "../../odb/types.ts";
import { redactSpec, secretFields } from "../../security/secrets.ts";
import type { ApplyResult, KindInfo, KindList, ObjectView } from "../api.ts";
import { type AdminContext, authorOf } from "../context.ts";
import { conflictCheck } from "../conflict-check.ts";
import { kindOf, planChanges, type PlannedPut } from "../object-changes.ts";
import { compareSpecs } from "../object-comparison.ts";
import { parseBody } from "../request-body.ts";
import { rollOut } from "../deploy/rollout.ts";

const applyRequest = z.strictObject({
  objects: z.array(z.unknown()).max(50_000),
  delete: z.array(z.strictObject({
    kind: z.string(),
    name: z.string(),
    revision: z.int().min(1).optional(),
  })).max(50_000).default([]),
  dryRun: z.boolean().default(false),
  compare: z.boolean().default(false),
}).refine((request) => request.objects.length + request.delete.length > 0, {
  error: "Name at least one object",
  path: ["objects"],
});

/** The objects of every kind: one set of operations for all of them. */
export function objectRoutes(context: AdminContext): readonly Route[] {
  const { kinds, link } = context;
  const view = (object: StoredObject) => viewOf(kindOf(kinds, object.kind), object);
  return [
    {
      method: "GET",
      path: "/v1/kinds",
      roles: ["operator", "web-admin"],
      handle: (): KindList => ({ kinds: [...kinds.values()].map(kindInfo) }),
    },
    {
      method: "GET",
      path: "/v1/objects",
      roles: ["operator", "web-admin"],
      async handle({ query }): Promise<readonly ObjectView[]> {
        const kind = query.get("kind");
        if (kind !== null) kindOf(kinds, kind);
        const objects = await link.use((store) => store.listObjects(kind ?? undefined));
        return objects.filter((object) => kinds.has(object.kind)).map(view);
      },
    },
    {
      method: "GET",
      path: "/v1/objects/:kind/:name",
      roles: ["operator", "web-admin"],
      handle: ({ params }): Promise<ObjectView> => {
        const { kind } = kindOf(kinds, params["kind"]!);
        return link.use(async (store) => view(await getObject(store, kind, params["name"]!)));
      },
    },
    {
      method: "POST",
      path: "/v1/apply",
      roles: ["operator", "web-admin"],
      async handle(request): Promise<ApplyResult> {
        return await apply(context, request);
      },
    },
    {
      method: "DELETE",
      path: "/v1/objects/:kind/:name",
      roles: ["operator", "web-admin"],
      handle(request): Promise<ApplyResult> {
        const { kind } = kindOf(kinds, request.params["kind"]!);
        const revision = Number(request.query.get("revision") ?? "0");
        const change1: ObjectChange = {
          op: "delete",
          kind,
          name: request.params["name"]!,
          ...(revision > 0 ? { ifRevision: revision } : {}),
        };
        return change(context, request, { changes: [change1], dryRun: false });
      },
    },
  ];
}

async function apply(context: AdminContext, request: ApiRequest): Promise<ApplyResult> {
  const { objects, delete: deletions, dryRun, compare } = parseBody(applyRequest, request);
  const puts = await planChanges(context, objects, { compare });
  const deletes = deletions.map(({ kind, name, revision }): ObjectChange => ({
    op: "delete",
    kind: kindOf(context.kinds, kind).kind,
    name,
    ...(revision === undefined ? {} : { ifRevision: revision }),
  }));
  const changes = [...puts.map((put) => put.change), ...deletes];
  const result = await change(context, request, { changes, dryRun: dryRun || compare });
  return compare ? { ...result, changes: withFields(context, result.changes, puts) } : result;
}

function withFields(
  { kinds }: AdminContext,
  changes: ApplyResult["changes"],
  puts: readonly PlannedPut[],
): ApplyResult["changes"] {
  return changes.map((made, index) => {
    const put = puts[index]; // the deletions come after all of them
    if (put === undefined) return made;
    const { change: { spec }, given, before } = put;
    const after: typeof spec = JSON.parse(JSON.stringify(spec)); // as it would be stored
    const kind = kindOf(kinds, made.kind);
    const specs = { before: before && completed(kind, before), after: completed(kind, after) };
    return { ...made, fields: compareSpecs(kind, { ...specs, given }) };
  });
}

/** What was stored with its defaults, by earlier versions, and what was not come out alike. */
function completed(kind: Kind, spec: StoredObject["spec"]): StoredObject["spec"] {
  return withDefaults(kind, withoutDefaults(kind, spec));
}

async function change(
  context: AdminContext,
  request: ApiRequest,
  { changes, dryRun }: { readonly changes: readonly ObjectChange[]; readonly dryRun: boolean },
): Promise<ApplyResult> {
  const check = conflictCheck(context.kinds, changes);
  const result = await context.link.use((store) =>
    store.change(changes, { by: authorOf(request), dryRun, check })
  );
  const changed = result.changes.filter(({ action }) => action !== "unchanged");
  if (dryRun || changed.length === 0) return resultOf(result);
  return { ...resultOf(result), servers: await rollOut(context, result.revision, changed) };
}

function resultOf({ revision, changes }: ChangeResult): ApplyResult {
  return { revision, changes };
}

/** Throws ODB_NO_OBJECT with the nearest name. */
export async function getObject(
  store: ClusterStore,
  kind: string,
  name: string,
): Promise<StoredObject> {
  const object = await store.getObject(kind, name);
  if (object !== undefined) return object;
  const nearest = didYouMean(name, (await store.listObjects(kind)).map((other) => other.name));
  throw new PlatformError("ODB_NO_OBJECT", { kind, name, nearest });
}

function viewOf(kind: Kind, object: StoredObject): ObjectView {
  const { name, revision, updatedAt, updatedBy } = object;
  const spec = redactSpec(kind, withDefaults(kind, object.spec));
  const secrets = [...secretFields(kind).keys()].filter((field) => field in object.spec);
  return { apiVersion, kind: kind.kind, name, spec, secrets, revision, updatedAt, updatedBy };
}

function kindInfo({ kind, group, description, schema }: Kind): KindInfo {
  return { kind, group, description, schema: z.toJSONSchema(schema, { io: "input" }) };
}

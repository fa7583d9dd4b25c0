import type { KindList, ObjectView } from "../../../admin-api/api.ts";
import { defineCommand, environmentOption, outputOption } from "../../command.ts";
import { loadEnvironment, withAdmin } from "../../cluster/environment.ts";
import { printResult, renderFields, type Result } from "../../output.ts";

export const command = defineCommand({
  path: "get",
  summary: "Show objects: of every kind, of one kind, or one object",
  description: "Secrets are never shown.",
  arguments: {
    kind: { summary: "Such as RestChannel", optional: true },
    name: { summary: "The object's name", optional: true },
  },
  options: {
    kinds: { type: "flag", summary: "List the kinds themselves" },
    env: environmentOption,
    output: outputOption,
  },
  examples: [
    "dragoman get RestChannel --env ./demo",
    "dragoman get RestChannel demo.hello -o yaml",
    "dragoman get --kinds",
  ],
  async run({ kind, name, kinds, env, output }, io) {
    const environment = await loadEnvironment({ env }, io);
    const result = await withAdmin(environment, async (client): Promise<Result> => {
      if (kinds) return kindsResult(await client.get<KindList>("/v1/kinds"));
      if (kind === undefined) return listResult(await client.get("/v1/objects"));
      const encoded = encodeURIComponent(kind);
      if (name === undefined) return listResult(await client.get(`/v1/objects?kind=${encoded}`));
      return oneResult(await client.get(`/v1/objects/${encoded}/${encodeURIComponent(name)}`));
    });
    await printResult(io.stdout, output, result);
  },
});

function kindsResult({ kinds }: KindList): Result {
  const rows = kinds.map(({ kind, group, description }) => [kind, group, description]);
  return { value: kinds, table: { columns: ["kind", "group", "description"], rows } };
}

function listResult(objects: readonly ObjectView[]): Result {
  return {
    value: objects,
    table: {
      columns: ["kind", "name", "revision", "updated at", "by"],
      rows: objects.map(({ kind, name, revision, updatedAt, updatedBy }) => [
        kind,
        name,
        revision,
        updatedAt,
        updatedBy,
      ]),
      empty: "There are no such objects yet; add some with dragoman apply -f FILE",
    },
  };
}

function oneResult(object: ObjectView): Result {
  const { kind, name, revision, updatedAt, updatedBy, spec } = object;
  const fields = Object.entries(spec).map(([field, value]) =>
    [`spec.${field}`, typeof value === "string" ? value : JSON.stringify(value)] as const
  );
  const table = renderFields([
    ["kind", kind],
    ["name", name],
    ["revision", revision],
    ["updated", `${updatedAt} by ${updatedBy}`],
    ...fields,
  ]);
  return { value: object, table };
}

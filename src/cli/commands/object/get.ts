import type { KindList, LiveObject, LiveServer, ObjectView } from "../../../admin-api/api.ts";
import { defineCommand, environmentOption, outputOption } from "../../command.ts";
import { loadEnvironment, withAdmin } from "../../cluster/environment.ts";
import { printResult, renderFields, renderTable, type Result, type Table } from "../../output.ts";

export const command = defineCommand({
  path: "get",
  summary: "Show objects: of every kind, of one kind, or one object",
  description:
    "Secrets are never shown. Of an outgoing connection, what every worker knows of it " +
    "is shown too: whether calls go through, how many there were, and the last failure.",
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
    "dragoman get RestOutgoing CRM",
    "dragoman get --kinds",
  ],
  async run({ kind, name, kinds, env, output }, io) {
    const environment = await loadEnvironment({ env }, io);
    const result = await withAdmin(environment, async (client): Promise<Result> => {
      if (kinds) return kindsResult(await client.get<KindList>("/v1/kinds"));
      if (kind === undefined) return listResult(await client.get("/v1/objects"));
      const encoded = encodeURIComponent(kind);
      if (name === undefined) return listResult(await client.get(`/v1/objects?kind=${encoded}`));
      const path = `/v1/objects/${encoded}/${encodeURIComponent(name)}`;
      const object = await client.get<ObjectView>(path);
      const { servers } = await client.get<LiveObject>(`${path}/status`);
      return oneResult(object, servers);
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

function oneResult(object: ObjectView, live: readonly LiveServer[]): Result {
  const { kind, name, revision, updatedAt, updatedBy, spec } = object;
  const fields = Object.entries(spec).map(([field, value]) =>
    [`spec.${field}`, typeof value === "string" ? value : JSON.stringify(value)] as const
  );
  const text = renderFields([
    ["kind", kind],
    ["name", name],
    ["revision", revision],
    ["updated", `${updatedAt} by ${updatedBy}`],
    ...fields,
  ]);
  if (live.length === 0) return { value: object, table: text };
  return { value: { ...object, live }, table: `${text}\n\n${renderTable(liveTable(live), plain)}` };
}

const plain = { colour: false } as const;

function liveTable(servers: readonly LiveServer[]): Table {
  const rows = servers.flatMap(({ server, workers, reason }) => {
    if (reason !== undefined) return [[server, "-", "no answer", "-", "-", "-", reason]];
    return workers.map(({ id, state, figures, lastError }) => {
      const { calls = "-", failures = "-", retries = "-" } = figures;
      return [server, id, state, calls, failures, retries, lastError ?? "-"];
    });
  });
  const columns = ["server", "worker", "state", "calls", "failures", "retries", "last error"];
  return { columns, rows };
}

import type { ApplyResult } from "../../../admin-api/api.ts";
import { defineCommand, environmentOption, outputOption, yesOption } from "../../command.ts";
import { confirm } from "../../confirm.ts";
import { loadEnvironment, withAdmin } from "../../cluster/environment.ts";
import { printResult } from "../../output.ts";
import { applyTable } from "../../objects/apply-table.ts";

export const command = defineCommand({
  path: "delete",
  summary: "Delete an object that nothing uses",
  description: "An object that others refer to is not deleted; the error lists them.",
  arguments: {
    kind: { summary: "Such as RestChannel" },
    name: { summary: "The object's name" },
  },
  options: {
    revision: {
      type: "integer",
      min: 1,
      max: 2 ** 31,
      value: "N",
      summary: "Refuse when the object is not at this revision",
    },
    yes: yesOption,
    env: environmentOption,
    output: outputOption,
  },
  examples: ["dragoman delete RestChannel demo.hello --env ./demo"],
  async run({ kind, name, revision, yes, env, output }, io) {
    const environment = await loadEnvironment({ env }, io);
    await confirm(io, { what: `Delete ${kind} "${name}"`, answer: name, yes });
    const query = revision === undefined ? "" : `?revision=${revision}`;
    const path = `/v1/objects/${encodeURIComponent(kind)}/${encodeURIComponent(name)}${query}`;
    const result = await withAdmin(environment, (client) => client.delete<ApplyResult>(path));
    await printResult(io.stdout, output, { value: result, table: applyTable(result, false) });
  },
});

import { resolve } from "node:path";
import { PlatformError } from "../../../errors/platform-error.ts";
import { defineCommand, outputOption } from "../../command.ts";
import { type KvdbAccess, readKvdbAccess } from "../../creation/kvdb-access.ts";
import { odbPasswordOption, readOdbAccess } from "../../creation/odb-access.ts";
import { passwordFileOption } from "../../creation/passwords.ts";
import type { CommandIo } from "../../io.ts";
import { printResult, quoteWord, renderFields } from "../../output.ts";
import { createQuickstart, type QuickstartResult } from "../../quickstart/create.ts";

const path = "quickstart create";

export const command = defineCommand({
  path,
  summary: "Make a whole cluster on this machine, for development",
  description: "Certificate authority, ODB, KVDB, load balancer, servers, web admin and a demo " +
    "service, all on 127.0.0.1. The web admin's password is shown once.",
  arguments: { directory: { summary: "A new or an empty directory" } },
  options: {
    start: { type: "flag", summary: "Start everything and wait until it answers" },
    servers: {
      type: "integer",
      min: 1,
      max: 50,
      default: 2,
      value: "N",
      summary: "How many servers",
    },
    workers: {
      type: "integer",
      min: 1,
      max: 64,
      default: 1,
      value: "N",
      summary: "How many workers each server has",
    },
    odb: {
      type: "choice",
      choices: ["sqlite", "postgresql", "mysql"],
      summary: "Database of the ODB (default: sqlite, or what --odb-url says)",
    },
    odbUrl: { type: "text", value: "URL", summary: "The database, which must exist" },
    odbPasswordFile: odbPasswordOption,
    kvdb: {
      type: "choice",
      choices: ["auto", "embedded", "redis"],
      default: "auto",
      summary: "The KVDB that is made; auto takes an installed Redis or Valkey",
    },
    kvdbUrl: { type: "text", value: "URL", summary: "A Redis or Valkey that runs already" },
    kvdbPasswordFile: passwordFileOption("that Redis or Valkey"),
    balancer: {
      type: "choice",
      choices: ["auto", "haproxy", "embedded"],
      default: "auto",
      summary: "The load balancer; auto takes HAProxy when it is installed",
    },
    portOffset: {
      type: "integer",
      min: 0,
      max: 45_000,
      default: 0,
      value: "N",
      summary: "Added to every port, for a second cluster on one machine",
    },
    force: { type: "flag", summary: "Replace a stopped environment that quickstart made" },
    output: outputOption,
  },
  examples: [
    "dragoman quickstart create ./demo --start",
    "dragoman quickstart create ./second --start --port-offset 100 --servers 3",
    "dragoman quickstart create ./demo --odb-url postgresql://dragoman@127.0.0.1:5432/odb",
  ],
  async run(input, io) {
    const { servers, workers, balancer, portOffset, start, force, output } = input;
    const directory = resolve(io.cwd, input.directory);
    const odb = await chooseOdb(input, io);
    const kvdb = await chooseKvdb(input, io);
    const live = output === "table" && io.stdout.isTty && io.stderr.isTty;
    const result = await createQuickstart(
      { directory, servers, workers, odb, kvdb, balancer, portOffset },
      { io, live, start, force },
    );
    await printResult(io.stdout, output, { value: result, table: describe(result, start) });
  },
});

async function chooseOdb(
  { odb, odbUrl, odbPasswordFile }: {
    readonly odb: string | undefined;
    readonly odbUrl: string | undefined;
    readonly odbPasswordFile: string | undefined;
  },
  io: CommandIo,
) {
  if (odbUrl === undefined) {
    if (odb === undefined || odb === "sqlite") return undefined;
    const reason = `--odb ${odb} needs --odb-url ${odb}://USER@HOST/DATABASE`;
    throw new PlatformError("CLI_USAGE", { reason, command: path });
  }
  const access = await readOdbAccess({ url: odbUrl, passwordFile: odbPasswordFile }, io);
  const { parseOdbUrl } = await import("../../../odb/url.ts");
  const { dialect } = parseOdbUrl(access.url);
  if (odb !== undefined && odb !== dialect) {
    const reason = `--odb is ${odb}, and --odb-url names a ${dialect} database`;
    throw new PlatformError("CLI_USAGE", { reason, command: path });
  }
  return access;
}

async function chooseKvdb(
  { kvdb, kvdbUrl, kvdbPasswordFile }: {
    readonly kvdb: "auto" | "embedded" | "redis";
    readonly kvdbUrl: string | undefined;
    readonly kvdbPasswordFile: string | undefined;
  },
  io: CommandIo,
): Promise<KvdbAccess | "auto" | "embedded" | "redis"> {
  if (kvdbUrl === undefined) return kvdb;
  if (kvdb === "embedded") {
    const reason = "--kvdb embedded and --kvdb-url exclude each other";
    throw new PlatformError("CLI_USAGE", { reason, command: path });
  }
  return await readKvdbAccess({ url: kvdbUrl, passwordFile: kvdbPasswordFile }, io);
}

function describe(result: QuickstartResult, started: boolean): string {
  const { balancer, webAdmin, servers, environment } = result;
  const directory = quoteWord(environment);
  const next = started ? [] : [`  dragoman quickstart start ${directory}`];
  return [
    "",
    started ? "Everything runs and answers." : "Everything is made; nothing runs yet.",
    "",
    renderFields([
      ["Load balancer", balancer.url],
      ["Web admin", webAdmin.url],
      ["  user", webAdmin.username],
      ["  password", `${webAdmin.password}  (shown this once)`],
      ...servers.map(({ name, url }) => [`Server ${name}`, url] as const),
      ["Environment", environment],
    ]),
    "",
    "Next:",
    ...next,
    `  curl '${balancer.url}/demo/hello?name=Ana'`,
    `  dragoman deploy ${quoteWord(`${environment}/services/demo-hello.ts`)} --env ${directory}`,
    `  dragoman quickstart ${started ? "stop" : "status"} ${directory}`,
  ].join("\n");
}

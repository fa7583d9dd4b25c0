import { access, constants } from "node:fs/promises";
import { join, resolve } from "node:path";
import { PlatformError } from "../../../errors/platform-error.ts";
import type { RehearsalResult } from "../../../rehearsal/rehearse.ts";
import { defineCommand, outputOption } from "../../command.ts";
import { odbPasswordOption, readOdbAccess } from "../../creation/odb-access.ts";
import { exitCodes } from "../../error-text.ts";
import type { CommandIo } from "../../io.ts";
import { type OutputFormat, printResult } from "../../output.ts";
import { renderLeftOut, renderReport } from "../../rehearsal/report-text.ts";
import { createRunCommand } from "../../rehearsal/run-command.ts";

const path = "rehearse";

export const command = defineCommand({
  path,
  summary: "Break a cluster on purpose while it works, and count what was lost",
  description:
    "Makes a cluster of its own on this machine unless --env names one, sends requests " +
    "that are never repeated, lets jobs run, and injects the fault in the middle. What clients " +
    "saw is held against what the servers executed. The exit code is 1 when a promise is broken.",
  arguments: { scenario: { summary: "Its name, or all", optional: true } },
  options: {
    list: { type: "flag", summary: "Show the scenarios" },
    env: {
      type: "text",
      value: "DIR",
      summary: "A running environment whose servers are on this machine (default: a new one)",
    },
    duration: seconds("How long the load goes on at least", { min: 4, max: 86_400, default: 20 }),
    outage: seconds("How long the ODB or the KVDB is gone", { min: 1, max: 3_600, default: 10 }),
    rate: {
      type: "integer",
      min: 1,
      max: 20_000,
      default: 200,
      value: "N",
      summary: "Requests a second: four GET to each POST",
    },
    ticks: {
      type: "integer",
      min: 1,
      max: 1_000_000,
      value: "N",
      summary: "Planned times of jobs at least (default: ten a second)",
    },
    servers: {
      type: "integer",
      min: 2,
      max: 20,
      default: 2,
      value: "N",
      summary: "How many servers the new cluster has",
    },
    odb: {
      type: "text",
      value: "URL",
      summary: "The new cluster's database, which must exist (default: a SQLite file)",
    },
    odbPasswordFile: odbPasswordOption,
    other: {
      type: "text",
      value: "DIR",
      summary: "For upgrade: a second installation of Dragoman, older or newer than this one",
    },
    keep: { type: "flag", summary: "Leave the new cluster running afterwards" },
    yes: { type: "flag", short: "y", summary: "Rehearse in production" },
    output: outputOption,
  },
  examples: [
    "dragoman rehearse --list",
    "dragoman rehearse leader-killed",
    "dragoman rehearse all --odb postgresql://dragoman@127.0.0.1:5432/rehearsal",
    "dragoman rehearse server-killed --rate 1250 --duration 18 --servers 4",
    "dragoman rehearse leader-changes --ticks 10000",
    "dragoman rehearse upgrade --other /opt/dragoman-0.1.0 --duration 600",
  ],
  async run(input, io) {
    const { output, scenario } = input;
    if (input.list) return await printScenarios(output, io);
    if (scenario === undefined) {
      throw new PlatformError("CLI_USAGE", {
        reason: "Say which scenario, or all; --list shows them",
        command: path,
      });
    }
    requireOtherWhereMeant({ ...input, scenario });
    const result = await rehearseWith({ ...input, scenario }, io);
    if (output !== "table") await printResult(io.stdout, output, { value: result, table: "" });
    else io.stdout.write(renderLeftOut(result.leftOut));
    return result.reports.every(({ kept }) => kept) ? exitCodes.ok : exitCodes.failed;
  },
});

function requireOtherWhereMeant({ scenario, other, env }: RehearseInput): void {
  const isMissing = scenario === "upgrade" && other === undefined;
  const isIdle = other !== undefined && (scenario !== "upgrade" || env !== undefined);
  if (!isMissing && !isIdle) return;
  const reason = isMissing
    ? "Name a second installation of Dragoman with --other"
    : "--other is for the scenario upgrade, on a cluster of its own";
  throw new PlatformError("CLI_USAGE", { reason, command: path });
}

function seconds<const D extends number>(
  summary: string,
  { min, max, default: value }: { readonly min: number; readonly max: number; readonly default: D },
) {
  return { type: "integer", min, max, default: value, value: "S", summary } as const;
}

interface RehearseInput {
  readonly scenario: string;
  readonly env: string | undefined;
  readonly duration: number;
  readonly outage: number;
  readonly rate: number;
  readonly ticks: number | undefined;
  readonly servers: number;
  readonly odb: string | undefined;
  readonly odbPasswordFile: string | undefined;
  readonly other: string | undefined;
  readonly keep: boolean;
  readonly yes: boolean;
  readonly output: OutputFormat;
}

async function rehearseWith(input: RehearseInput, io: CommandIo): Promise<RehearsalResult> {
  const { findScenarios, rehearse } = await import("../../../rehearsal/rehearse.ts");
  const { odb, odbPasswordFile: passwordFile, env, output } = input;
  const odbAccess = odb === undefined
    ? undefined
    : await readOdbAccess({ url: odb, passwordFile }, io);
  // The password must not stand in the arguments of a process.
  const secrets = odbAccess?.password === undefined
    ? {}
    : { DRAGOMAN_ODB_PASSWORD: odbAccess.password };
  const began = performance.now();
  return await rehearse({
    scenarios: findScenarios(input.scenario),
    dose: {
      durationMs: input.duration * 1_000,
      requestsPerSecond: input.rate,
      ticks: input.ticks,
      outageMs: input.outage * 1_000,
    },
    environment: env === undefined ? undefined : resolve(io.cwd, env),
    production: input.yes,
    servers: input.servers,
    odbUrl: odbAccess?.url,
    keep: input.keep,
    run: createRunCommand(io.env, secrets),
    other: input.other === undefined
      ? undefined
      : createRunCommand(io.env, secrets, await findLauncher(resolve(io.cwd, input.other))),
    interrupted: io.stopSignal().then((signal) =>
      Promise.reject(new PlatformError("CLI_INTERRUPTED", { signal }))
    ),
    say: (text) => {
      const at = ((performance.now() - began) / 1_000).toFixed(1);
      io.stderr.write(`${at.padStart(7)} s  ${text}\n`);
    },
    onReport: (report) => {
      if (output === "table") io.stdout.write(`\n${renderReport(report, io.stdout)}\n`);
    },
  });
}

async function findLauncher(directory: string): Promise<string> {
  const launcher = join(directory, "dragoman");
  if (await access(launcher, constants.X_OK).then(() => true, () => false)) return launcher;
  throw new PlatformError("REHEARSAL_NO_INSTALLATION", { directory });
}

async function printScenarios(output: OutputFormat, io: CommandIo): Promise<void> {
  const { scenarios } = await import("../../../rehearsal/scenarios/registry.ts");
  const value = scenarios.map(({ name, summary }) => ({ name, summary }));
  const table = {
    columns: ["scenario", "what happens"],
    rows: value.map(({ name, summary }) => [name, summary]),
  };
  await printResult(io.stdout, output, { value, table });
}

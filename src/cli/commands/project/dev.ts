import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parseEnv } from "node:util";
import type { ObjectView } from "../../../admin-api/api.ts";
import { type Environment, loadEnvironment, withAdmin } from "../../cluster/environment.ts";
import { defineCommand } from "../../command.ts";
import type { CommandIo } from "../../io.ts";
import { channelLines } from "../../project/dev/channel-list.ts";
import { DevSession } from "../../project/dev/dev-session.ts";
import { openOwnEnvironment, type OwnEnvironment } from "../../project/dev/own-environment.ts";
import { writeEditorFiles } from "../../project/editor-files.ts";
import { requireProject } from "../../project/project-files.ts";

export const command = defineCommand({
  path: "dev",
  summary: "Run a project and bring every file you save to life at once",
  description:
    "Without --env, a cluster of its own runs for as long as this command does. Services " +
    "are bundled and deployed, objects applied, declarations written and types checked whenever a " +
    "file is saved; what fails is shown with its place, and what ran before goes on running. " +
    "Variables for ${env:NAME} may stand in the project's .env. Ctrl-C ends everything it started.",
  arguments: {
    directory: { summary: "The project (default: the working directory)", optional: true },
  },
  options: {
    env: {
      type: "text",
      value: "DIR",
      summary: "A running environment to use instead of a cluster of its own",
    },
    servers: {
      type: "integer",
      min: 1,
      max: 10,
      default: 1,
      value: "N",
      summary: "How many servers a cluster of its own has",
    },
  },
  examples: ["dragoman dev", "dragoman dev ./shop --env ./demo"],
  async run({ directory = ".", env, servers }, io) {
    const project = await requireProject(resolve(io.cwd, directory));
    await writeEditorFiles(project);
    // Asked for first: a signal that comes while the cluster starts must not be lost.
    const stopped = io.stopSignal();
    if (env !== undefined) {
      await work({ project, environment: await loadEnvironment({ env }, io), stopped }, io);
      return;
    }
    io.stdout.write(
      `Starting a cluster with ${servers} ${servers === 1 ? "server" : "servers"} ...\n`,
    );
    const own = await openOwnEnvironment(project, { io, servers });
    try {
      io.stdout.write(describeOwn(own));
      await work({ project, environment: own.environment, isOwn: true, stopped }, io);
    } finally {
      io.stdout.write("\nEnding the cluster ...\n");
      // An impatient second Ctrl-C must not leave half of it running.
      void io.stopSignal();
      await own.close();
      io.stdout.write("Nothing is left running\n");
    }
  },
});

interface Work {
  readonly project: string;
  readonly environment: Environment;
  readonly isOwn?: boolean;
  readonly stopped: Promise<string>;
}

async function work({ project, environment, isOwn = false, stopped }: Work, io: CommandIo) {
  const env = { ...await readEnvFile(join(project, ".env")), ...io.env };
  await using session = new DevSession(project, { environment, isOwn, env, sink: io.stdout });
  await session.start();
  const objects = await withAdmin(
    environment,
    (client) => client.get<readonly ObjectView[]>("/v1/objects"),
  );
  io.stdout.write(channelLines(objects, environment));
  io.stdout.write(`Watching ${project}; Ctrl-C ends\n`);
  await stopped;
}

/** Variables of a file that need not be there. */
async function readEnvFile(file: string): Promise<Readonly<Record<string, string | undefined>>> {
  const text = await readFile(file, "utf8").catch(() => "");
  return parseEnv(text);
}

function describeOwn({ quickstart: { webAdmin }, environment }: OwnEnvironment): string {
  return `Cluster ${environment.cluster} runs in ${environment.directory}\n` +
    `Web admin ${webAdmin.url}, user ${webAdmin.username}, password ${webAdmin.password}\n`;
}

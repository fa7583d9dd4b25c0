import type { Command } from "./command.ts";

type CommandModule = { readonly command: Command };

/** Every command by its path. Only the one that runs is loaded. */
const registry = {
  "quickstart create": () => import("./commands/quickstart/create.ts"),
  "quickstart start": () => import("./commands/quickstart/start.ts"),
  "quickstart stop": () => import("./commands/quickstart/stop.ts"),
  "quickstart restart": () => import("./commands/quickstart/restart.ts"),
  "quickstart status": () => import("./commands/quickstart/status.ts"),
  "quickstart delete": () => import("./commands/quickstart/delete.ts"),
  "start": () => import("./commands/component/start.ts"),
  "stop": () => import("./commands/component/stop.ts"),
  "restart": () => import("./commands/component/restart.ts"),
  "status": () => import("./commands/component/status.ts"),
  "info": () => import("./commands/component/info.ts"),
  "check-config": () => import("./commands/component/check-config.ts"),
  "rehearse": () => import("./commands/platform/rehearse.ts"),
  "doctor": () => import("./commands/platform/doctor.ts"),
  "new project": () => import("./commands/project/new-project.ts"),
  "new service": () => import("./commands/project/new-service.ts"),
  "dev": () => import("./commands/project/dev.ts"),
  "test": () => import("./commands/project/test.ts"),
  "check": () => import("./commands/project/check.ts"),
  "types": () => import("./commands/project/types.ts"),
  "deploy": () => import("./commands/deployment/deploy.ts"),
  "deployment list": () => import("./commands/deployment/list.ts"),
  "deployment show": () => import("./commands/deployment/show.ts"),
  "deployment rollback": () => import("./commands/deployment/rollback.ts"),
  "deployment delete": () => import("./commands/deployment/delete.ts"),
  "invocation list": () => import("./commands/invocation/list.ts"),
  "invocation show": () => import("./commands/invocation/show.ts"),
  "invocation create": () => import("./commands/invocation/create.ts"),
  "invocation retry": () => import("./commands/invocation/retry.ts"),
  "invocation cancel": () => import("./commands/invocation/cancel.ts"),
  "invocation delete": () => import("./commands/invocation/delete.ts"),
  "job list": () => import("./commands/job/list.ts"),
  "job show": () => import("./commands/job/show.ts"),
  "job run": () => import("./commands/job/run.ts"),
  "job pause": () => import("./commands/job/pause.ts"),
  "job resume": () => import("./commands/job/resume.ts"),
  "job next": () => import("./commands/job/next.ts"),
  "job history": () => import("./commands/job/history.ts"),
  "job explain": () => import("./commands/job/explain.ts"),
  "job cancel": () => import("./commands/job/cancel.ts"),
  "lease list": () => import("./commands/lease/list.ts"),
  "lease history": () => import("./commands/lease/history.ts"),
  "service list": () => import("./commands/service/list.ts"),
  "service invoke": () => import("./commands/service/invoke.ts"),
  "get": () => import("./commands/object/get.ts"),
  "ping": () => import("./commands/object/ping.ts"),
  "apply": () => import("./commands/object/apply.ts"),
  "diff": () => import("./commands/object/diff.ts"),
  "drift": () => import("./commands/object/drift.ts"),
  "export": () => import("./commands/object/export.ts"),
  "schema": () => import("./commands/object/schema.ts"),
  "delete": () => import("./commands/object/delete.ts"),
  "server list": () => import("./commands/server/list.ts"),
  "server delete": () => import("./commands/server/delete.ts"),
  "lb status": () => import("./commands/lb/status.ts"),
  "lb drain": () => import("./commands/lb/drain.ts"),
  "lb ready": () => import("./commands/lb/ready.ts"),
  "lb maintenance": () => import("./commands/lb/maintenance.ts"),
  "lb weight": () => import("./commands/lb/weight.ts"),
  "lb algorithm": () => import("./commands/lb/algorithm.ts"),
  "lb server add": () => import("./commands/lb/server-add.ts"),
  "lb server remove": () => import("./commands/lb/server-remove.ts"),
  "lb config show": () => import("./commands/lb/config-show.ts"),
  "lb config edit": () => import("./commands/lb/config-edit.ts"),
  "lb config check": () => import("./commands/lb/config-check.ts"),
  "lb config diff": () => import("./commands/lb/config-diff.ts"),
  "lb config apply": () => import("./commands/lb/config-apply.ts"),
  "lb config history": () => import("./commands/lb/config-history.ts"),
  "lb config revert": () => import("./commands/lb/config-revert.ts"),
  "lb hop-key rotate": () => import("./commands/lb/hop-key-rotate.ts"),
  "lb stats": () => import("./commands/lb/stats.ts"),
  "lb command": () => import("./commands/lb/command.ts"),
  "create odb": () => import("./commands/create/odb.ts"),
  "create cluster": () => import("./commands/create/cluster.ts"),
  "create kvdb": () => import("./commands/create/kvdb.ts"),
  "create server": () => import("./commands/create/server.ts"),
  "create load-balancer": () => import("./commands/create/load-balancer.ts"),
  "create web-admin": () => import("./commands/create/web-admin.ts"),
  "create user": () => import("./commands/create/user.ts"),
  "create environment": () => import("./commands/create/environment.ts"),
  "delete odb": () => import("./commands/odb/delete.ts"),
  "ca create ca": () => import("./commands/ca/create-ca.ts"),
  "ca create server": () => import("./commands/ca/create-server.ts"),
  "ca create load-balancer": () => import("./commands/ca/create-load-balancer.ts"),
  "ca create web-admin": () => import("./commands/ca/create-web-admin.ts"),
  "ca create operator": () => import("./commands/ca/create-operator.ts"),
  "ca list": () => import("./commands/ca/list.ts"),
  "ca renew": () => import("./commands/ca/renew.ts"),
  "completion": () => import("./commands/platform/completion.ts"),
  "version": () => import("./commands/platform/version.ts"),
} as const satisfies Readonly<Record<string, () => Promise<CommandModule>>>;

/** The paths of all commands, in the order in which help shows them. */
export const commandPaths: readonly string[] = Object.keys(registry);

/** Loads the command of a path; undefined when there is none. */
export async function loadCommand(path: string): Promise<Command | undefined> {
  const table: Readonly<Record<string, () => Promise<CommandModule>>> = registry;
  return Object.hasOwn(table, path) ? (await table[path]!()).command : undefined;
}

/** Loads every command whose path begins with the words of `prefix`; all of them when empty. */
export async function loadCommands(prefix: string): Promise<readonly Command[]> {
  const paths = commandPaths.filter((path) => prefix === "" || path.startsWith(`${prefix} `));
  const commands = await Promise.all(paths.map(loadCommand));
  return commands.filter((command) => command !== undefined);
}

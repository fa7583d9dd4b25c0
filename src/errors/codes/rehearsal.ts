import type { ErrorCode } from "../error-code.ts";

export const rehearsalCodes = {
  REHEARSAL_UNKNOWN: {
    kind: "input",
    status: 400,
    message: 'There is no rehearsal "{scenario}"',
    advice: "Run dragoman rehearse --list for the scenarios",
  },
  REHEARSAL_PRODUCTION: {
    kind: "state",
    status: 409,
    message: 'The environment "{directory}" is marked as production, and a rehearsal breaks things',
    advice:
      "Rehearse without --env on a cluster of its own, or add --yes when that is what you want",
  },
  REHEARSAL_NO_SERVERS: {
    kind: "input",
    status: 400,
    message: '"{directory}" has {found} on this machine, and a rehearsal needs {needed}',
    advice: "Name an environment that has its servers here, or rehearse without --env",
  },
  REHEARSAL_OWN_CLUSTER: {
    kind: "state",
    status: 409,
    message: "{scenario} cannot be rehearsed in this environment: {reason}",
    advice: "Leave --env out, so that a cluster of its own is made; --odb names its database",
  },
  REHEARSAL_NO_INSTALLATION: {
    kind: "input",
    status: 400,
    message: 'There is no Dragoman in "{directory}": it has no program of that name',
    advice: "Name the directory of an installation, the one that its launcher dragoman lies in",
  },
  REHEARSAL_COMMAND: {
    kind: "peer",
    status: 500,
    message: "The command dragoman {command} failed with exit code {exitCode}: {reason}",
    advice: "Run that command by itself; with --keep the cluster stays for you to look at",
  },
  REHEARSAL_NOT_RECOVERED: {
    kind: "peer",
    status: 500,
    message: "The cluster is not whole within {seconds} s: {reason}",
    advice: "Look at the logs of the server that is named; with --keep the cluster stays",
  },
  REHEARSAL_NEEDS: {
    kind: "state",
    status: 409,
    message: "{scenario} needs {what}, which is not installed",
    advice: "Install it, for example with apt-get install {debianPackage}",
  },
} as const satisfies Record<string, ErrorCode>;

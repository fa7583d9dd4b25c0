import type { ErrorCode } from "../error-code.ts";

export const clusterCodes = {
  CLUSTER_NOT_WHOLE: {
    kind: "state",
    status: 409,
    message: "The cluster is not whole: {reason}; {done}",
    advice: "Have every server up first; strike off with `dragoman server delete` what is gone",
  },
  CLUSTER_SERVER_MISSING: {
    kind: "peer",
    status: 503,
    message: "Server {server} is not back {seconds} s after its restart began: {reason}",
    advice: "Read the log of {server}; restart the others once it is up: {left}",
  },
  CLUSTER_ERRORS_RISE: {
    kind: "state",
    status: 503,
    message: "{errors} of {requests} requests failed since the restart began, {rate} against " +
      "{before} before; {done}",
    advice: "Find out why in the logs; then restart the others, or roll back what was installed",
  },
} as const satisfies Record<string, ErrorCode>;

export const leaseCodes = {
  LEASE_LOST: {
    kind: "state",
    status: 409,
    message: 'Server "{server}" does not hold the lease "{name}" with epoch {epoch} any more',
    advice: "Leave the work to the server that holds it now; `dragoman lease list` names it",
  },
} as const satisfies Record<string, ErrorCode>;

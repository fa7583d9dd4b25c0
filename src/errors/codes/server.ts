import type { ErrorCode } from "../error-code.ts";

export const serverCodes = {
  SERVER_PORT_IN_USE: {
    kind: "input",
    status: 500,
    message: "Port {port} on {host}, which server {server} needs for {what}, is taken",
    advice: "End the program that listens there, or change the port in {config}",
  },
  SERVER_WRONG_KEY: {
    kind: "input",
    status: 500,
    message: 'The cluster key of server {server} is not the key of cluster "{cluster}"',
    advice: "Copy secrets/cluster.key from a server of that cluster that works",
  },
  SERVER_NAME_TAKEN: {
    kind: "input",
    status: 409,
    message:
      'Cluster "{cluster}" has a server {server} already, which is alive at {adminUrl} on {host}',
    advice:
      "Stop that one first, or give this one another name: create it anew with another --name",
  },
  SERVER_NO_KEY: {
    kind: "input",
    status: 500,
    message: "Server {server} has no usable cluster key: {reason}",
    advice: "Copy secrets/cluster.key from a server of the same cluster",
  },
  SERVER_NO_STATE: {
    kind: "peer",
    status: 503,
    message: "The ODB cannot be reached and this server has no saved state to start from: {reason}",
    advice: "Start the ODB; a server that has started once can start without it",
  },
  SERVER_STATE_DAMAGED: {
    kind: "peer",
    status: 503,
    message: 'The ODB cannot be reached, and "{file}" with the state saved last is damaged',
    advice: "Start the ODB: the server reads its state from there and saves it anew",
  },
  SERVER_WEIGHT_PORT: {
    kind: "input",
    status: 409,
    message: "Cannot listen on port {port} of {host}, where balancers ask how busy it is: {reason}",
    advice: "Set loadBalancer.weightPort in the server's config.yaml to a free port, or to 0",
  },
  SERVER_CERTIFICATE_NAME: {
    kind: "input",
    status: 500,
    message: 'The certificate in "{folder}" does not hold the name "{host}" that balancers ask for',
    advice: "Renew it with dragoman ca, or have your own authority put that DNS name into it",
  },
  SERVER_NO_WORKER: {
    kind: "state",
    status: 503,
    message: "Server {server} has no worker that can take this now",
    advice: "Try again in a moment; the server's log says why workers are missing",
  },
  SERVER_WORKER_LOST: {
    kind: "peer",
    status: 502,
    message: "The worker that ran this ended before it answered",
    advice: "Look for the worker's end in the server's log",
  },
  SERVER_WORKERS_FAILED: {
    kind: "state",
    status: 500,
    message: "No worker of server {server} could start: {reason}",
    advice: "Read the lines before this one in the server's log",
  },
  SERVER_SUPERVISOR_LOST: {
    kind: "peer",
    status: 503,
    message: "The server's supervisor has ended",
    advice: "Start the server again",
  },
  SERVER_NOT_UP: {
    kind: "state",
    status: 409,
    message: "Server {server} is {state} and cannot be restarted now",
    advice: "Wait until `dragoman status` shows it as up",
  },
  SERVER_STOPPING: {
    kind: "state",
    status: 503,
    message: "Server {server} is stopping",
    advice: "Send the request to another server",
  },
} as const satisfies Record<string, ErrorCode>;

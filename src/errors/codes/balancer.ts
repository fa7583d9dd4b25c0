import type { ErrorCode } from "../error-code.ts";

export const balancerCodes = {
  BALANCER_PORT_IN_USE: {
    kind: "state",
    status: 409,
    message: "Port {port} of {host} is taken by another process",
    advice: "Stop that process, or set another http.port in the load balancer's config.yaml",
  },
  BALANCER_BAD_LISTEN: {
    kind: "input",
    status: 400,
    message: 'Cannot listen on "{host}": it is neither an IP address nor a host name',
    advice: "Correct http.host in the load balancer's config.yaml",
  },
  BALANCER_CANNOT_LISTEN: {
    kind: "input",
    status: 400,
    message: "Cannot listen on port {port} of {host}: {reason}",
    advice: "Set http.host and http.port in the load balancer's config.yaml to what you may use",
  },
  BALANCER_HAPROXY_MISSING: {
    kind: "input",
    status: 400,
    message: "HAProxy was asked for but {reason}",
    advice:
      "Install HAProxy (Debian and Ubuntu: apt-get install haproxy), or choose the embedded engine",
  },
  BALANCER_HAPROXY_TOO_OLD: {
    kind: "input",
    status: 400,
    message: '"{path}" is HAProxy {version}, which is older than {wanted}',
    advice: "Install HAProxy {wanted} or newer, or choose the embedded engine",
  },
  BALANCER_CONFIG_REFUSED: {
    kind: "input",
    status: 400,
    message: "HAProxy refuses the configuration: {reason}",
    advice: "Correct what HAProxy names; what ran before goes on serving",
  },
  BALANCER_NEEDS_RESTART: {
    kind: "input",
    status: 409,
    message: "{fields} cannot change while the load balancer runs",
    advice: "Restart the load balancer to change them, or put the old values back",
  },
  BALANCER_START_FAILED: {
    kind: "peer",
    status: 502,
    message: "HAProxy does not start: {reason}",
    advice: "Correct what HAProxy names and start the load balancer again",
  },
  BALANCER_DIED: {
    kind: "peer",
    status: 502,
    message: "HAProxy died or did not start {count} times in a row: {reason}",
    advice: "Read the load balancer's log for HAProxy's last words, then start it again",
  },
  BALANCER_ALREADY_RUNNING: {
    kind: "state",
    status: 409,
    message: "The load balancer of this directory already runs as process {pid}",
    advice: "Stop that process before starting another",
  },
  BALANCER_SOCKET_PATH: {
    kind: "input",
    status: 400,
    message: 'HAProxy\'s control socket cannot be put at "{path}": {reason}',
    advice: "Move the load balancer to a directory with a shorter path, or mend TMPDIR",
  },
  BALANCER_RUNTIME: {
    kind: "peer",
    status: 502,
    message: 'HAProxy did not carry out "{command}": {reason}',
    advice: "Look at the load balancer's log; HAProxy may be restarting",
  },
  BALANCER_BAD_NAME: {
    kind: "input",
    status: 400,
    message: "That is not a valid server name",
    advice: "Use up to 63 letters, digits, dots, dashes and underscores, a letter or digit first",
  },
  BALANCER_BAD_REGISTRATION: {
    kind: "input",
    status: 400,
    message: "The registration is not valid: {reason}",
    advice: 'Send {"host": an IP address or host name, "port": 1 to 65535}',
  },
  BALANCER_UNKNOWN_HOST: {
    kind: "peer",
    status: 422,
    message: 'Server "{name}" says it listens on "{host}", which does not resolve: {reason}',
    advice: "Set loadBalancer.advertise of the server to an address that the balancer can reach",
  },
  BALANCER_NOT_YOUR_NAME: {
    kind: "input",
    status: 403,
    message: 'The certificate of server "{peer}" may not speak for server "{name}"',
    advice: "Use the certificate issued to that server, or an operator's",
  },
  BALANCER_TLS_FILE: {
    kind: "input",
    status: 400,
    message: 'The TLS file "{file}" cannot be used: {reason}',
    advice: "Correct tls in the load balancer's config.yaml, or the file",
  },
  BALANCER_HOP_KEYS: {
    kind: "input",
    status: 500,
    message: 'The keys towards servers in "{file}" cannot be read: {reason}',
    advice: "Delete the file and start the load balancer again; it makes a new key",
  },
  BALANCER_NO_SUCH_SERVER: {
    kind: "input",
    status: 404,
    message: 'The load balancer knows no server "{name}"{hint}',
    advice: "Ask for its status to see the servers that it knows",
  },
  BALANCER_LAST_SERVER: {
    kind: "state",
    status: 409,
    message: "{name} cannot step aside: no other server of this balancer takes requests now",
    advice: "Try again when another server is up",
  },
  BALANCER_BAD_CONFIGURATION: {
    kind: "input",
    status: 400,
    message: "The balancer's configuration is not valid: {reason}",
    advice: "Correct what is named; dragoman lb config show prints every field with its value",
  },
  BALANCER_BAD_LINES: {
    kind: "input",
    status: 400,
    message: 'Line "{line}" cannot stand in lines.{section}: {reason}',
    advice: "Take it out, or put it where it belongs; nothing was changed",
  },
  BALANCER_CHANGED_MEANWHILE: {
    kind: "state",
    status: 409,
    message: "The configuration is at revision {revision} by now, and this was made for {base}",
    advice: "Look at what changed with dragoman lb config history, then try again",
  },
  BALANCER_BEHIND: {
    kind: "state",
    status: 409,
    message: "Revision {theirs} of balancer {origin} would be undone: here {own} holds, as that " +
      "one cannot be taken: {reason}",
    advice: "Mend that, or make the change at balancer {origin}; with --force it is made here, " +
      "and revision {theirs} is undone everywhere",
  },
  BALANCER_NO_SUCH_REVISION: {
    kind: "input",
    status: 404,
    message: 'The balancer keeps no revision "{id}"',
    advice: "Choose one that dragoman lb config history lists; 0 is config.yaml by itself",
  },
  BALANCER_COMMAND_REFUSED: {
    kind: "input",
    status: 400,
    message: 'The command "{command}" is not passed to HAProxy: {reason}',
    advice:
      "Use show ..., or one of: {allowed}; servers change through dragoman lb drain and others",
  },
  BALANCER_ENGINE_CANNOT: {
    kind: "input",
    status: 409,
    message: "The embedded balancer cannot {what}",
    advice: "Create the load balancer with --engine haproxy for that",
  },
  BALANCER_STATE_UNREADABLE: {
    kind: "input",
    status: 500,
    message: 'Cannot read the remembered servers in "{file}": {reason}',
    advice: "Delete the file; servers that run register again by themselves",
  },
} as const satisfies Record<string, ErrorCode>;

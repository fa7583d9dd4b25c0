import { resolve } from "node:path";
import type { Role } from "../../mtls/identity.ts";
import { type Command, defineCommand, outputOption } from "../command.ts";
import { printResult, renderFields } from "../output.ts";
import { localHosts } from "./tls-source.ts";

const owners: Readonly<Record<Role, string>> = {
  server: "a server",
  "load-balancer": "a load balancer's agent",
  "web-admin": "a web admin",
  operator: "an operator, a person or a program that uses the admin API",
};

/** `ca create ROLE`: one command for each owner of a certificate. */
export function certificateCommand(role: Role): Command {
  return defineCommand({
    path: `ca create ${role}`,
    summary: `Issue a certificate for ${owners[role]}`,
    arguments: { authority: { summary: "Directory of the certificate authority" } },
    options: {
      cluster: { type: "text", value: "NAME", required: true, summary: "The owner's cluster" },
      name: { type: "text", value: "NAME", required: true, summary: "The owner's name" },
      host: {
        type: "list",
        value: "HOST",
        summary: "Name or address under which it is reached, beside this machine",
      },
      validityDays: {
        type: "integer",
        min: 1,
        max: 3_650,
        default: 365,
        value: "DAYS",
        summary: "How long it is valid",
      },
      install: { type: "text", value: "DIR", summary: "Component whose tls/ it is copied into" },
      output: outputOption,
    },
    examples: [`dragoman ca create ${role} ./ca --cluster prod --name ${role}1`],
    async run({ authority, cluster, name, host, validityDays, install, output }, io) {
      const { installTls } = await import("../../ca/install.ts");
      const { issueCertificate } = await import("../../ca/issue.ts");
      const issued = await issueCertificate(resolve(io.cwd, authority), {
        identity: { cluster, role, name },
        hosts: [...localHosts(...host)],
        validityDays,
      });
      if (install !== undefined) await installTls(issued, resolve(io.cwd, install));
      await printResult(io.stdout, output, {
        value: issued,
        table: renderFields([
          ["Serial", issued.serial],
          ["Certificate", issued.certPath],
          ["Key", issued.keyPath],
          ["Authority", issued.caPath],
          ["Valid until", issued.notAfter],
        ]),
      });
    },
  });
}

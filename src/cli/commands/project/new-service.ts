import { resolve } from "node:path";
import { restMethods } from "../../../connectors/rest/index.ts";
import { PlatformError } from "../../../errors/platform-error.ts";
import { loadWsdl } from "../../../soap/wsdl/load-wsdl.ts";
import { readWsdl } from "../../../soap/wsdl/read-wsdl.ts";
import { defineCommand } from "../../command.ts";
import { requireProject } from "../../project/project-files.ts";
import { type NewFile, writeNewFiles } from "../../project/new-files.ts";
import { findSecurity } from "../../project/project-security.ts";
import { checkServiceName, serviceFiles } from "../../project/service-template.ts";
import { wsdlFiles } from "../../project/from-wsdl/wsdl-files.ts";
import { parseMethods } from "../../project/methods.ts";

export const command = defineCommand({
  path: "new service",
  summary: "Add a service with its test and a REST channel to a project",
  description: "Files that exist are never overwritten. The channel asks for the first security " +
    'definition that the project has in objects/; --security says which, or "none".',
  arguments: {
    name: {
      summary: "Such as crm.customer.get; with --from-wsdl, what all names begin with",
      optional: true,
    },
  },
  options: {
    dir: {
      type: "text",
      value: "DIR",
      summary: "The project (default: the working directory)",
    },
    fromWsdl: {
      type: "text",
      value: "FILE",
      summary: "Offer what a WSDL says: a service for every operation, and one SOAP channel",
    },
    method: {
      type: "list",
      value: "METHOD",
      summary: `A method of the channel: ${
        restMethods.join(", ")
      }; GET and POST when none is given`,
    },
    path: { type: "text", value: "PATH", summary: "The channel's path (default: from the name)" },
    security: {
      type: "list",
      value: "NAME",
      summary: "A security definition of the channel, or none",
    },
  },
  examples: [
    "dragoman new service crm.customer.get --method GET --path '/customers/{name}'",
    "dragoman new service invoices.import --method POST --security none",
    "dragoman new service --from-wsdl erp.wsdl --security none",
  ],
  async run({ name, dir, method, path, security, fromWsdl }, io) {
    const directory = await requireProject(resolve(io.cwd, dir ?? "."));
    const guards = security.length > 0
      ? security.filter((definition) => definition !== "none")
      : await findSecurity(directory);
    let files: readonly NewFile[];
    if (fromWsdl !== undefined) {
      const wsdl = readWsdl(await loadWsdl(resolve(io.cwd, fromWsdl)));
      const made = wsdlFiles({
        wsdl,
        name: name && checkServiceName(name),
        path,
        security: guards,
      });
      for (const reason of made.leftOut) io.stderr.write(`Left out: ${reason}\n`);
      files = made.files;
    } else {
      if (name === undefined) {
        const reason = "Say the name of the service, or --from-wsdl FILE";
        throw new PlatformError("CLI_USAGE", { reason, command: "new service" });
      }
      const methods = parseMethods(method);
      const own = path === undefined ? {} : { path };
      files = serviceFiles({ name, methods, security: guards, ...own });
    }
    await writeNewFiles(directory, files);
    const lines = files.map((file) => `  ${file.path}`).join("\n");
    io.stdout.write(`Made in ${directory}\n\n${lines}\n\nNext:\n  dragoman test\n  dragoman dev\n`);
  },
});

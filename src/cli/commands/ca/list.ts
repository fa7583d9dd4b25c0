import { resolve } from "node:path";
import { renderIdentity } from "../../../mtls/identity.ts";
import { defineCommand, outputOption } from "../../command.ts";
import { printResult } from "../../output.ts";

export const command = defineCommand({
  path: "ca list",
  summary: "List the certificates that an authority has issued",
  arguments: { authority: { summary: "Directory of the certificate authority" } },
  options: { output: outputOption },
  examples: ["dragoman ca list ./demo/ca"],
  async run({ authority, output }, io) {
    const { listCertificates } = await import("../../../ca/issue.ts");
    const certificates = await listCertificates(resolve(io.cwd, authority));
    await printResult(io.stdout, output, {
      value: certificates,
      table: {
        columns: ["serial", "owner", "state", "valid until", "hosts"],
        rows: certificates.map(({ serial, identity, state, notAfter, hosts }) => [
          serial,
          renderIdentity(identity),
          state,
          notAfter,
          hosts.join(", "),
        ]),
        empty: "It has issued none yet",
      },
    });
  },
});

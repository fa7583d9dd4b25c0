import { resolve } from "node:path";
import { defineCommand } from "../../command.ts";

export const command = defineCommand({
  path: "ca create ca",
  summary: "Create a certificate authority in a new directory",
  description: "Its key is encrypted; the password of the key is in secrets/ca-password.",
  arguments: { directory: { summary: "A new or an empty directory" } },
  options: {
    organization: { type: "text", value: "NAME", summary: "Organisation in its certificate" },
    commonName: { type: "text", value: "NAME", summary: "Common name in its certificate" },
    validityDays: {
      type: "integer",
      min: 1,
      max: 36_500,
      default: 3_650,
      value: "DAYS",
      summary: "How long it is valid",
    },
  },
  examples: ["dragoman ca create ca ./ca --organization Example"],
  async run({ directory: named, organization, commonName, validityDays }, io) {
    const directory = resolve(io.cwd, named);
    const { createAuthority } = await import("../../../ca/authority.ts");
    await createAuthority(directory, {
      ...(organization === undefined ? {} : { organization }),
      ...(commonName === undefined ? {} : { commonName }),
      validityDays,
    });
    io.stdout.write(`The certificate authority is in ${directory}\n`);
  },
});

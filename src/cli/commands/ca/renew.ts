import { resolve } from "node:path";
import { defineCommand, outputOption } from "../../command.ts";
import { printResult, renderFields } from "../../output.ts";

export const command = defineCommand({
  path: "ca renew",
  summary: "Issue a certificate anew, with a new key, for the same owner and hosts",
  arguments: {
    authority: { summary: "Directory of the certificate authority" },
    serial: { summary: "Serial of the certificate, as ca list shows it" },
  },
  options: {
    install: { type: "text", value: "DIR", summary: "Component whose tls/ it is copied into" },
    output: outputOption,
  },
  examples: ["dragoman ca renew ./demo/ca 7f3a9c --install ./demo/server1"],
  async run({ authority, serial, install, output }, io) {
    const { installTls } = await import("../../../ca/install.ts");
    const { renewCertificate } = await import("../../../ca/issue.ts");
    const issued = await renewCertificate(resolve(io.cwd, authority), { serial });
    if (install !== undefined) await installTls(issued, resolve(io.cwd, install));
    const { serial: own, certPath, keyPath, notAfter } = issued;
    await printResult(io.stdout, output, {
      value: issued,
      table: renderFields([
        ["Serial", own],
        ["Certificate", certPath],
        ["Key", keyPath],
        ["Valid until", notAfter],
      ]),
    });
  },
});

import { issueCertificate } from "../../../src/ca/index.ts";

// A process of its own that issues certificates: `issue-one.ts AUTHORITY NAME COUNT`.
const [authority, name, count] = process.argv.slice(2);
for (let n = 0; n < Number(count); n++) {
  const identity = { cluster: "demo", role: "server", name: `${name}-${n}` } as const;
  await issueCertificate(authority!, { identity, hosts: [] });
}

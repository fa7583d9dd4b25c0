import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { stringify } from "yaml";
import { poll } from "../../../src/lib/wait.ts";
import { type CommandResult, type Quickstart, startQuickstart } from "../../e2e/quickstart.ts";
import { clientCertificateField } from "./client-certificate.ts";

type Spec = Readonly<Record<string, unknown>>;

const secret = "0123456789abcdef0123456789abcdef";
const member = "member-key-0123456789";

describe("Security definitions of a cluster", () => {
  let cluster: Quickstart;
  before(async () => {
    cluster = await startQuickstart(["--servers", "1"]);
  });
  after(() => cluster?.[Symbol.asyncDispose]());

  async function apply(...objects: readonly [string, string, Spec][]): Promise<CommandResult> {
    const file = join(cluster.directory, "objects.yaml");
    const text = objects.map(([kind, name, spec]) =>
      stringify({ apiVersion: "dragoman/v1", kind, name, spec })
    ).join("---\n");
    await writeFile(file, text, { mode: 0o600 });
    return await cluster.run("apply", "-f", file);
  }

  const refused: readonly [string, readonly [string, string, Spec][], RegExp][] = [
    ["a group that holds itself", [["SecurityGroup", "a", { members: ["a"] }]], /itself|"a"/],
    ["two groups that hold each other", [
      ["SecurityGroup", "a", { members: ["b"] }],
      ["SecurityGroup", "b", { members: ["a"] }],
    ], /contain itself/],
    ["a group of nobody", [["SecurityGroup", "a", { members: ["nobody"] }]], /nobody/],
    ["tokens without a secret", [["Jwt", "a", { algorithms: ["HS256"] }]], /need a secret/],
    ["tokens without a key", [["Jwt", "a", { algorithms: ["RS256"] }]], /publicKey or jwksUrl/],
    ["a key in two places", [
      ["ApiKey", "a", { key: member, header: "X-A", query: "a" }],
    ], /header or query, not both/],
    ["a client without a secret", [
      ["OAuthClient", "a", { tokenUrl: "https://a.example/", clientId: "a" }],
    ], /needs a clientSecret/],
    ["roles that nothing gives", [
      ["RestChannel", "a", { path: "/a", service: "demo.hello", security: "none", roles: ["x"] }],
    ], /Roles need a security definition/],
    ["a credential where a definition belongs", [
      ["BasicCredentials", "mine", { username: "a", password: "b" }],
      ["RestChannel", "a", { path: "/a", service: "demo.hello", security: ["mine"] }],
    ], /mine/],
  ];
  for (const [name, objects, words] of refused) {
    it(`refuses ${name}`, async () => {
      const { exitCode, stderr } = await apply(...objects);
      assert.notEqual(exitCode, 0);
      assert.match(stderr, words);
      assert.doesNotMatch(stderr, /member-key/);
    });
  }

  it("guards a channel with a group, behind the balancer, and hides every secret", async () => {
    const applied = await apply(
      ["ApiKey", "member", { key: member, query: "key", roles: ["reader"] }],
      ["ClientCertificate", "crm", { subject: { CN: "crm-client" }, roles: ["reader"] }],
      ["Jwt", "tokens", { algorithms: ["HS256"], secret }],
      ["SecurityGroup", "partners", { members: ["member", "crm", "tokens"] }],
      ["RestChannel", "guarded", {
        path: "/guarded",
        service: "demo.hello",
        security: ["partners"],
        roles: ["reader"],
      }],
    );
    assert.equal(applied.exitCode, 0, applied.stderr);

    const guarded = `${cluster.balancerUrl}/guarded`;
    const status = async (url: string, headers: HeadersInit = {}) => {
      const response = await fetch(url, { headers });
      await response.body?.cancel();
      return response.status;
    };
    const found = await poll(
      async () => await status(`${guarded}?key=${member}`) === 200 || undefined,
      { timeoutMs: 10_000 },
    );
    assert.ok(found, "the key never let anybody in");
    // Only the balancer may speak for a certificate: no client of its, and nobody on this machine.
    const headers = { "Client-Cert": await clientCertificateField("crm-client") };
    const direct = `${cluster.servers[0]!.url}/guarded`;
    assert.equal(await status(direct, headers), 401);
    assert.equal(await status(guarded, headers), 401);

    const shown = await Promise.all(
      [["Jwt", "tokens"], ["ApiKey", "member"]].map(async ([kind, name]) =>
        (await cluster.run("get", kind!, name!, "-o", "json")).stdout
      ),
    );
    assert.doesNotMatch(shown.join(), /0123456789|dragoman:/);
  });

  it("keeps a secret that is left out of a change", async () => {
    const { exitCode, stderr } = await apply(
      ["Jwt", "tokens", { algorithms: ["HS256"], clockSkewSeconds: 60 }],
    );
    assert.equal(exitCode, 0, stderr);
  });

  it("keeps a definition that a group uses", async () => {
    const { exitCode, stderr } = await cluster.run("delete", "ApiKey", "member", "--yes");
    assert.notEqual(exitCode, 0);
    assert.match(stderr, /partners/);
  });
});

import assert from "node:assert/strict";
import { stat, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type Quickstart, startQuickstart } from "./quickstart.ts";

const service = `import { defineService, z } from "dragoman";
export const service = defineService({
  name: "who.am-i",
  output: z.object({ address: z.string(), hop: z.string().nullable() }),
  handle: ({ request }) => ({
    address: request.remoteAddress,
    hop: request.headers.get("x-dragoman-hop"),
  }),
});
`;
const channel = `apiVersion: dragoman/v1
kind: RestChannel
name: who-am-i
spec: { path: /who, service: who.am-i, security: none }
`;

let cluster: Quickstart;
before(async () => cluster = await startQuickstart());
after(() => cluster[Symbol.asyncDispose]());

function ask(url: string, headers: Readonly<Record<string, string>> = {}): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const asking = request(url, { localAddress: "127.0.0.77", agent: false, headers });
    asking.on("response", async (response) => {
      let body = "";
      for await (const chunk of response) body += chunk;
      resolve(JSON.parse(body));
    });
    asking.on("error", reject);
    asking.end();
  });
}

describe("In a quickstart cluster", () => {
  it("services learn the client's address from the balancer, and from nobody else", async () => {
    const files = { "who.ts": service, "who.yaml": channel };
    for (const [name, text] of Object.entries(files)) {
      await writeFile(join(cluster.directory, name), text);
    }
    for (const command of [["deploy", "who.ts"], ["apply", "who.yaml"]] as const) {
      const { exitCode, stderr } = await cluster.run(
        ...[command[0], join(cluster.directory, command[1])],
      );
      assert.equal(exitCode, 0, stderr);
    }
    const forged = { "X-Forwarded-For": "6.6.6.6", "X-Dragoman-Hop": "v1-guess" };

    const expected = { address: "127.0.0.77", hop: null };
    for (let i = 0; i < 4; i++) {
      assert.deepEqual(await ask(`${cluster.balancerUrl}/who`, forged), expected);
    }
    for (const { url } of cluster.servers) {
      assert.deepEqual(await ask(`${url}/who`, forged), expected);
    }
  });

  it("keeps the keys of the hop where only their owner reads them", async () => {
    for (const component of ["load-balancer", "server1", "server2"]) {
      const file = join(cluster.directory, component, "secrets", "hop-keys.json");
      assert.equal((await stat(file)).mode & 0o777, 0o600, component);
    }
  });
});

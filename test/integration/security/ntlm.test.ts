import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { promisify } from "node:util";
import { isPlatformError } from "../../../src/errors/platform-error.ts";
import { parseClusterKey } from "../../../src/security/cluster-key.ts";
import { openCredential } from "../../../src/security/credentials/open-credential.ts";
import { NtlmServer } from "../../peers/ntlm-server.ts";
import { clusterKey } from "../data-plane/worker-process.ts";
import { sealed } from "./sealed-object.ts";

const run = promisify(execFile);
const password = "pä55 wörd";

async function send(
  url: string,
  { init = {}, spec = {}, signal = AbortSignal.timeout(10_000) }: {
    readonly init?: RequestInit;
    readonly spec?: Readonly<Record<string, unknown>>;
    readonly signal?: AbortSignal;
  } = {},
): Promise<Response> {
  const all = { username: "svc", password, domain: "EXAMPLE", workstation: "WS1", ...spec };
  const object = await sealed("Ntlm", "erp", all);
  const credential = openCredential(object, parseClusterKey(clusterKey));
  const headers = new Headers(init.headers);
  await credential.apply({ url: new URL(url), headers, signal });
  return await credential.send!(new Request(url, { ...init, headers }), { signal });
}

for (const saysTime of [true, false]) {
  describe(`Ntlm towards a server that ${saysTime ? "wants" : "does not want"} signatures`, () => {
    let server: NtlmServer;
    beforeEach(async () => {
      server = await NtlmServer.start({
        accounts: { svc: password, curl: "a b c" },
        saysTime,
      });
    });
    afterEach(() => server[Symbol.asyncDispose]());

    it("is the server that curl knows", async () => {
      const directory = await mkdtemp(join(tmpdir(), "dragoman-ntlm-"));
      try {
        // In a file: arguments are for all to see.
        const config = join(directory, "curl.conf");
        await writeFile(config, 'user = "EXAMPLE\\\\curl:a b c"\n', { mode: 0o600 });
        const args = ["-sS", "--max-time", "10", "--ntlm", "-K", config, "-d", "body", server.url];
        const { stdout } = await run("curl", args);

        assert.equal(stdout, "hello curl");
        assert.equal(server.requests[0]?.body, "body");
      } finally {
        await rm(directory, { recursive: true });
      }
    });

    it("gets in, over one connection, and sends the body once", async () => {
      const body = "x".repeat(100_000);
      const response = await send(`${server.url}/path?q=1`, { init: { method: "POST", body } });

      assert.equal(response.status, 200);
      assert.equal(response.headers.get("x-user"), "svc");
      assert.equal(await response.text(), "hello svc");
      assert.deepEqual(server.requests, [{
        method: "POST",
        url: "/path?q=1",
        user: "svc",
        domain: "EXAMPLE",
        workstation: "WS1",
        body,
        hasMic: saysTime,
      }]);
      assert.deepEqual(server.seen.map(({ bytes }) => bytes), [0, 100_000]);
      assert.equal(server.connections, 1);
    });

    it("gets in with GET, HEAD, DELETE and PUT", async () => {
      for (const method of ["GET", "HEAD", "DELETE"]) {
        assert.equal((await send(server.url, { init: { method } })).status, 200, method);
      }
      const put = await send(server.url, { init: { method: "PUT", body: "1" } });
      assert.equal(put.status, 200);
      await put.text();
    });

    it("gets in many times at once, each on a connection of its own", async () => {
      const responses = await Promise.all(
        Array.from({ length: 10 }, (_, index) => send(`${server.url}/${index}`)),
      );
      const texts = await Promise.all(responses.map((response) => response.text()));

      assert.ok(texts.every((text) => text === "hello svc"));
      assert.equal(server.connections, 10);
    });

    it("does not get in with a wrong password, and hands over the refusal", async () => {
      const response = await send(server.url, { spec: { password: "wrong" } });

      assert.equal(response.status, 401);
      assert.equal(await response.text(), "refused");
      assert.equal(server.requests.length, 0);
    });

    it("does not get in as somebody who is unknown", async () => {
      const response = await send(server.url, { spec: { username: "eve" } });
      assert.equal(response.status, 401);
      await response.text();
    });
  });
}

describe("Ntlm towards a server that does not play along", () => {
  const answers: readonly [string, number, string | undefined][] = [
    ["asks for Basic", 401, 'Basic realm="a"'],
    ["asks for NTLM without a challenge", 401, "NTLM"],
    ["sends a challenge that is none", 401, "NTLM AAAA"],
    ["sends its own words back", 401, `NTLM ${Buffer.from("NTLMSSP\0\x01").toString("base64")}`],
    ["asks for nothing", 200, undefined],
    ["is broken", 500, undefined],
  ];
  for (const [name, status, challenge] of answers) {
    it(`says so when it ${name}, and has sent no body`, async () => {
      let received = 0;
      const server = createServer((request, response) => {
        request.on("data", (chunk: Buffer) => received += chunk.length);
        response.writeHead(
          status,
          challenge === undefined ? {} : { "WWW-Authenticate": challenge },
        );
        response.end("no");
      });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      try {
        // A server that listens on TCP has such an address.
        const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
        await assert.rejects(send(url, { init: { method: "POST", body: "order" } }), (error) => {
          assert.ok(isPlatformError(error, "SECURITY_NTLM_FAILED"), String(error));
          assert.doesNotMatch(error.message, /pä55|svc/);
          return true;
        });
        assert.equal(received, 0);
      } finally {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
    });
  }

  it("ends with its signal", async () => {
    const server = createServer(() => {});
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      // A server that listens on TCP has such an address.
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const reason = new Error("the time is over");
      const abort = new AbortController();
      server.once("request", () => abort.abort(reason));
      await assert.rejects(send(url, { signal: abort.signal }), reason);
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });
});

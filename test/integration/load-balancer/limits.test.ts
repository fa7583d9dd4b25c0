import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type HttpBackend, startHttpBackend } from "../../peers/http-backend.ts";
import { AnyBalancer, engines } from "./any-balancer.ts";
import { RawConnection, renderRequest, request } from "./haproxy-client.ts";

let directory: string;
let backend: HttpBackend;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), "dragoman-limits-"));
  backend = await startHttpBackend({ name: "one", ledger: join(directory, "ledger") });
});
after(async () => {
  await backend.kill();
  await rm(directory, { recursive: true });
});

/** Sends what is given and waits for one answer. */
async function exchange(port: number, text: string) {
  const connection = await RawConnection.open(port);
  try {
    connection.write(text);
    return await connection.readResponse();
  } finally {
    connection.close();
  }
}

function assertProblem(
  { status, headers, body }: Awaited<ReturnType<typeof request>>,
  wanted: number,
): void {
  assert.equal(status, wanted);
  assert.match(headers.get("content-type") ?? "", /^application\/problem\+json/);
  assert.equal(JSON.parse(body).status, wanted);
}

for (const engine of engines) {
  const open = (settings: Parameters<typeof AnyBalancer.open>[0]["settings"]) =>
    AnyBalancer.open({ engine, settings: settings ?? {}, servers: [backend] });

  describe(`the limits of the ${engine} balancer`, () => {
    it("let an address have so many connections, and those go on", async () => {
      await using balancer = await open({ limits: { connectionsPerAddress: 3 } });
      const connections: RawConnection[] = [];
      try {
        for (let i = 0; i < 5; i++) {
          const connection = await RawConnection.open(balancer.port);
          connections.push(connection);
          connection.write(renderRequest());
          const response = await connection.readResponse();
          if (i < 3) assert.equal(response.status, 200);
          else assertProblem(response, 429);
        }
        connections[0]!.write(renderRequest());
        assert.equal((await connections[0]!.readResponse()).status, 200);
      } finally {
        for (const connection of connections) connection.close();
      }
    });

    it("count each address by itself", async () => {
      await using balancer = await open({ limits: { connectionsPerAddress: 1 } });
      const first = await RawConnection.open(balancer.port);
      first.write(renderRequest());
      assert.equal((await first.readResponse()).status, 200);
      const other = connect({
        ...{ port: balancer.port, host: "127.0.0.1", localAddress: "127.0.0.9" },
      });
      const head = new Promise<string>((resolve, reject) => {
        other.once("data", (chunk) => resolve(chunk.toString("latin1")));
        other.once("error", reject);
      });
      other.write(renderRequest());
      assert.match(await head, /^HTTP\/1.1 200/);
      other.destroy();
      first.close();
    });

    it("let an address send so many requests in a period", async () => {
      const limits = { requestsPerAddress: 5, ratePeriodMs: 60_000 };
      await using balancer = await open({ limits });
      const connection = await RawConnection.open(balancer.port);
      const statuses: number[] = [];
      for (let i = 0; i < 5; i++) {
        connection.write(renderRequest());
        statuses.push((await connection.readResponse()).status);
      }
      connection.close();
      assert.deepEqual(statuses, [200, 200, 200, 200, 200]);
      const refused = await request(balancer.port);
      assertProblem(refused, 429);
      assert.ok(Number(refused.headers.get("retry-after")) >= 1);
    });

    it("refuse a head that is too large", async () => {
      await using balancer = await open({ limits: { headerBytes: 4_096 } });
      const small = { headers: { "X-Large": "a".repeat(3_000) } };
      const large = { headers: { "X-Large": "a".repeat(5_000) } };
      assert.equal((await request(balancer.port, small)).status, 200);
      assertProblem(await request(balancer.port, large), 431);
    });

    it("take heads of the size that is asked for", async () => {
      await using balancer = await open({ limits: { headerBytes: 40_000 } });
      const more = { headers: { "X-Large": "a".repeat(35_000) } };
      const large = { headers: { "X-Large": "a".repeat(42_000) } };
      // The server behind it has a limit of its own, at which it answers 431 without a problem.
      const passed = await request(balancer.port, more);
      assert.notEqual(passed.headers.get("content-type"), "application/problem+json");
      assertProblem(await request(balancer.port, large), 431);
    });

    it("end a client that does not finish its head", async () => {
      await using balancer = await open({ timeouts: { headersMs: 300 } });
      const answer = await exchange(balancer.port, "GET / HTTP/1.1\r\nHost: a\r\nX: ");
      assert.equal(answer.status, 408);
      // HAProxy has its own words for what it cannot read as a request.
      if (engine === "embedded") assertProblem(answer, 408);
    });

    it("end a client that does not send its body", async () => {
      await using balancer = await open({ timeouts: { bodyMs: 300 } });
      const head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc";
      assertProblem(await exchange(balancer.port, head), 408);
      const whole = await request(balancer.port, { method: "POST", body: "abc" });
      assert.equal(whole.status, 200);
    });
  });
}

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import type { BackendServer } from "../../../src/load-balancer/engine.ts";
import { runLoad } from "../../../src/rehearsal/load/ledger.ts";
import { AnyBalancer, engines } from "./any-balancer.ts";

interface Server extends AsyncDisposable, BackendServer {
  /** Ids of the requests that it has read. */
  readonly received: string[];
  /** The keys that came with them. */
  readonly keys: (string | undefined)[];
}

/** A server that is ready; it answers requests, or breaks their connections once it has read them. */
async function startServer(name: string, does: "answers" | "breaks"): Promise<Server> {
  const received: string[] = [];
  const keys: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    if (request.url === "/dragoman/readyz") return void response.end("OK");
    request.resume().once("end", () => {
      received.push(String(request.headers["x-request-id"]));
      keys.push(request.headers["idempotency-key"] as string | undefined); // comes once
      if (does === "breaks") request.socket.destroy();
      else response.end("OK");
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // it listens on a port
  return {
    ...{ name, host: "127.0.0.1", port, draining: false, received, keys },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

for (const engine of engines) {
  describe(`the ${engine} balancer, when a server breaks off`, () => {
    for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
      it(`sends ${method} to another one if it has a key, and only then`, async () => {
        await using bad = await startServer("bad", "breaks");
        await using good = await startServer("good", "answers");
        await using balancer = await AnyBalancer.open({ engine, servers: [bad, good] });
        const load = {
          url: `http://127.0.0.1:${balancer.port}/orders`,
          ...{ method, body: '{"amount":1}', requests: 6, concurrency: 1 },
        };

        const plain = await runLoad(load);
        const plainTwice = bad.received.filter((id) => good.received.includes(id));
        const before = bad.received.length;
        const keyed = await runLoad({ ...load, headers: { "Idempotency-Key": "k-1" } });

        assert.ok(plain.failed.length > 0);
        assert.deepEqual(plainTwice, []);
        assert.deepEqual(keyed.failed, []);
        assert.equal(keyed.ok, 6);
        const repeated = bad.received.slice(before);
        assert.ok(repeated.length > 0);
        assert.ok(repeated.every((id) => good.received.includes(id)));
        assert.equal(good.keys.filter((key) => key === "k-1").length, 6);
      });
    }

    it("takes no key for one that does not reach the server", async () => {
      await using bad = await startServer("bad", "breaks");
      await using good = await startServer("good", "answers");
      await using balancer = await AnyBalancer.open({ engine, servers: [bad, good] });

      await runLoad({
        url: `http://127.0.0.1:${balancer.port}/orders`,
        ...{ method: "POST", body: "{}", requests: 6, concurrency: 1 },
        headers: { "Idempotency-Key": "k-1", Connection: "keep-alive, Idempotency-Key" },
      });

      const unkeyed = bad.received.filter((_, index) => bad.keys[index] === undefined);
      assert.deepEqual(unkeyed.filter((id) => good.received.includes(id)), []);
      assert.ok(bad.received.length > 0);
    });
  });
}

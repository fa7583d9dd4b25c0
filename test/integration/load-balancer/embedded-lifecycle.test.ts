import assert from "node:assert/strict";
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { connect } from "node:net";
import { describe, it } from "node:test";
import { poll } from "../../../src/lib/wait.ts";
import { runLoad } from "../../../src/rehearsal/load/ledger.ts";
import {
  ask,
  begin,
  describeServer,
  readUntil,
  type Rig,
  startRig,
  startServer,
  type TestServer,
} from "./embedded-rig.ts";

/** Starts a server that holds each request until it is told to answer. */
async function startHolding(
  name: string,
): Promise<TestServer & { readonly held: ServerResponse[] }> {
  const held: ServerResponse[] = [];
  const server = await startServer(name, (_request, response) => void held.push(response));
  return Object.assign(server, { held });
}

async function untilHeld(server: { readonly held: readonly unknown[] }, count = 1): Promise<void> {
  const seen = await poll(() => server.held.length >= count || undefined, { timeoutMs: 20_000 });
  assert.ok(seen, "the request did not reach the server");
}

async function sessions(rig: Rig): Promise<Record<string, number>> {
  const { servers } = await rig.engine.status();
  return Object.fromEntries(servers.map((server) => [server.name, server.sessionsCurrent]));
}

describe("The embedded balancer, when its servers change,", () => {
  it("spreads over servers that join and fails nothing as they leave, under load", async () => {
    await using one = await startServer("one");
    await using two = await startServer("two");
    await using three = await startServer("three");
    await using rig = await startRig([one]);
    let answered = 0;

    const report = await runLoad({
      url: rig.url,
      requests: 1_500,
      concurrency: 8,
      method: "POST",
      onResponse: () => {
        answered += 1;
        if (answered === 300) void rig.engine.setServers([one, two, three].map(describeServer));
        if (answered === 900) void rig.engine.setServers([two, three].map(describeServer));
        if (answered === 1_200) void rig.engine.setServers([three].map(describeServer));
      },
    });

    assert.deepEqual(report.failed, []);
    assert.deepEqual([...report.byServer.keys()].sort(), ["one", "three", "two"]);
  });

  it("lets a draining server finish, sends it nothing new, and takes it back", async () => {
    await using one = await startHolding("one");
    await using two = await startServer("two");
    await using rig = await startRig([one]);
    const slow = ask(rig.port);
    await untilHeld(one);

    await rig.engine.setServers([{ ...describeServer(one), draining: true }, describeServer(two)]);
    await rig.until("two", "up");
    const meanwhile = await runLoad({ url: rig.url, requests: 10, concurrency: 1 });
    const [drained] = (await rig.engine.status()).servers;
    one.held[0]!.end("finished");
    const answer = await slow;
    await rig.engine.setServers([one, two].map(describeServer));

    assert.deepEqual(Object.fromEntries(meanwhile.byServer), { two: 10 });
    assert.equal(drained!.state, "draining");
    assert.equal(drained!.sessionsCurrent, 1);
    assert.equal(answer.body, "finished");
    const [back] = (await rig.engine.status()).servers;
    assert.equal(back!.state, "up");
  });

  it("closes idle connections to a server that drains, so that it can end", async () => {
    await using one = await startServer("one");
    await using rig = await startRig([one]);
    await ask(rig.port);
    const [connection] = one.connections;
    const closed = once(connection!, "close");

    await rig.engine.setServers([{ ...describeServer(one), draining: true }]);

    await closed;
  });

  it("lets a removed server finish", async () => {
    await using one = await startHolding("one");
    await using rig = await startRig([one]);
    const slow = ask(rig.port);
    await untilHeld(one);

    await rig.engine.setServers([]);
    const refused = await ask(rig.port);
    one.held[0]!.end("finished");

    assert.equal(refused.status, 503);
    assert.equal((await slow).body, "finished");
    assert.deepEqual((await rig.engine.status()).servers, []);
  });

  it("follows a server to its new port", async () => {
    await using before = await startServer("one", (_request, response) => response.end("old"));
    await using after = await startServer("one", (_request, response) => response.end("new"));
    await using rig = await startRig([before]);
    const first = await ask(rig.port);

    await rig.engine.setServers([describeServer(after)]);
    await rig.until("one", "up");

    assert.deepEqual([first.body, (await ask(rig.port)).body], ["old", "new"]);
  });

  it("keeps health and figures of servers that stay", async () => {
    await using one = await startServer("one");
    await using rig = await startRig([one]);
    await ask(rig.port);
    const before = (await rig.engine.status()).servers;

    await rig.engine.setServers([describeServer(one)]);

    assert.deepEqual((await rig.engine.status()).servers, before);
  });
});

describe("The embedded balancer, when it stops,", () => {
  it("finishes what is in flight, tells those clients to go, and takes nothing new", async () => {
    await using one = await startHolding("one");
    await using rig = await startRig([one]);
    const idle = connect(rig.port, "127.0.0.1");
    await once(idle, "connect");
    const socket = connect(rig.port, "127.0.0.1");
    socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    await untilHeld(one);

    const stopped = rig.engine.stop({ drainMs: 60_000 });
    await once(idle, "close");
    const refused = await ask(rig.port).then(() => undefined, (error) => error.code);
    one.held[0]!.end("finished");
    const [answer] = await Promise.all([readUntil(socket, /finished$/), once(socket, "close")]);
    await stopped;

    assert.equal(refused, "ECONNREFUSED");
    assert.match(answer, /^HTTP\/1\.1 200 [^]*connection: close/i);
  });

  it("closes a connection whose answer had begun, once that is whole", async () => {
    await using one = await startHolding("one");
    await using rig = await startRig([one]);
    const socket = connect(rig.port, "127.0.0.1");
    socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    await untilHeld(one);
    one.held[0]!.write("begun");
    await readUntil(socket, /begun/);

    const stopped = rig.engine.stop({ drainMs: 60_000 });
    one.held[0]!.end("ended");
    await Promise.all([readUntil(socket, /ended\r\n0\r\n\r\n$/), once(socket, "close"), stopped]);
  });

  it("cuts off what does not finish within drainMs", async () => {
    await using one = await startHolding("one");
    await using rig = await startRig([one]);
    const slow = ask(rig.port).then(() => undefined, (error) => error.code);
    await untilHeld(one);

    await rig.engine.stop({ drainMs: 50 });

    assert.equal(await slow, "ECONNRESET");
  });

  it("leaves its port free and can be stopped twice", async () => {
    await using one = await startServer("one");
    const rig = await startRig([one]);
    await ask(rig.port);

    await rig.engine.stop({ drainMs: 0 });
    await rig.engine.stop({ drainMs: 0 });
    await using again = await startRig([one], { port: rig.port });

    assert.equal((await ask(again.port)).status, 200);
  });
});

const upgrade = "GET /live HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\n" +
  "Upgrade: websocket\r\nSec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\n" +
  "Sec-WebSocket-Version: 13\r\n\r\n";

/** Starts a server that speaks after an upgrade, beginning in the packet of its answer. */
function startUpgrading(name: string): Promise<TestServer> {
  return startServer(name, undefined, (server) => {
    server.on("upgrade", (request, socket) => {
      socket.on("error", () => {});
      socket.write(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n" +
          `Upgrade: ${request.headers.upgrade}\r\nX-Seen: ${
            request.headers["x-forwarded-for"]
          }\r\n` +
          "\r\nwelcome|",
      );
      socket.pipe(socket);
    });
  });
}

describe("The embedded balancer, asked for an upgrade,", () => {
  it("carries what both sides say, and counts it until it ends", async () => {
    await using one = await startUpgrading("one");
    await using rig = await startRig([one]);
    const socket = connect(rig.port, "127.0.0.1");
    const echoed = readUntil(socket, /hello\|$/);

    socket.write(upgrade + "early|");
    await readUntil(socket, /early\|/);
    const during = await sessions(rig);
    socket.write("hello|");
    const received = await echoed;
    socket.end();
    await once(socket, "close");

    assert.match(received, /^HTTP\/1\.1 101 Switching Protocols\r\n/);
    assert.match(received, /\r\nUpgrade: websocket\r\n/);
    assert.match(received, /\r\nX-Seen: 127\.0\.0\.1\r\n/);
    assert.ok(received.endsWith("\r\n\r\nwelcome|early|hello|"), received);
    assert.deepEqual(during, { one: 1 });
    const over = await poll(async () => (await sessions(rig)).one === 0 || undefined, {
      timeoutMs: 20_000,
    });
    assert.ok(over, "the session is still counted");
  });

  it("speaks WebSocket, frames and all", async () => {
    await using one = await startServer("one", undefined, (server) => {
      server.on("upgrade", (_request, socket) => {
        // One text frame that says "hi", as servers send it: without a mask.
        socket.on("error", () => {}).on("end", () => socket.end()).resume();
        socket.write(
          "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
            "Sec-WebSocket-Accept: HSmrc0sMlYUkAGmm5OPpG2HaGWk=\r\n\r\n\x81\x02hi",
          "latin1",
        );
      });
    });
    await using rig = await startRig([one]);
    const socket = connect(rig.port, "127.0.0.1");

    socket.write(upgrade);
    const received = await readUntil(socket, /hi$/);
    socket.destroy();

    assert.match(received, /Sec-WebSocket-Accept: HSmrc0sMlYUkAGmm5OPpG2HaGWk=/);
    assert.ok(received.endsWith("\r\n\r\n\x81\x02hi"), received);
  });

  it("passes on the answer of a server that refuses", async () => {
    await using one = await startServer("one", (request, response) => {
      response.statusCode = 426;
      response.end(JSON.stringify(request.headers.upgrade ?? "none"));
    });
    await using rig = await startRig([one]);
    const socket = connect(rig.port, "127.0.0.1");

    socket.write(upgrade);
    const [received] = await Promise.all([readUntil(socket, /"$/), once(socket, "close")]);

    assert.match(received, /^HTTP\/1\.1 426 [^]*\r\nConnection: close\r\n\r\n"websocket"$/);
  });

  it("does not pass on the upgrade to HTTP/2", async () => {
    await using one = await startServer("one", (request, response) => {
      response.end(JSON.stringify(request.headers.upgrade ?? "none"));
    });
    await using rig = await startRig([one]);
    const socket = connect(rig.port, "127.0.0.1");

    socket.write(
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\n" +
        "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n",
    );
    const received = await readUntil(socket, /"$/);
    socket.destroy();

    assert.match(received, /^HTTP\/1\.1 200 [^]*"none"$/);
  });

  it("answers 503 when no server is up", async () => {
    await using rig = await startRig([]);
    const socket = connect(rig.port, "127.0.0.1");

    socket.write(upgrade);
    const [received] = await Promise.all([readUntil(socket, /\}$/), once(socket, "close")]);

    assert.match(received, /^HTTP\/1\.1 503 /);
  });

  it("ends a tunnel that is silent for tunnelMs, and tunnels when it stops", async () => {
    await using one = await startUpgrading("one");
    await using impatient = await startRig([one], { timeouts: { tunnelMs: 100 } });
    await using patient = await startRig([one]);
    const sockets = [impatient, patient].map(({ port }) => connect(port, "127.0.0.1"));
    const closed = sockets.map((socket) => once(socket, "close"));
    for (const socket of sockets) {
      socket.on("error", () => {});
      socket.write(upgrade);
      await readUntil(socket, /welcome/);
    }

    await closed[0];
    await patient.engine.stop({ drainMs: 20 });
    await closed[1];
  });

  it("serves events as they come beside it", async () => {
    let push = (_event: string) => {};
    await using one = await startServer("one", (_request, response) => {
      response.writeHead(200, { "Content-Type": "text/event-stream" });
      response.flushHeaders();
      push = (event) => void response.write(`data: ${event}\n\n`);
    });
    await using rig = await startRig([one]);

    const { request, response } = await begin(rig.port, {});
    response.on("error", () => {});
    const events: string[] = [];
    for (const event of ["1", "2"]) {
      push(event);
      const [data] = await once(response, "data");
      events.push(String(data));
    }
    request.destroy();

    assert.deepEqual(events, ["data: 1\n\n", "data: 2\n\n"]);
  });
});

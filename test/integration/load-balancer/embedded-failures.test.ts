import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer as createNetServer, type Socket } from "node:net";
import { describe, it } from "node:test";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { findFreePort } from "../../../src/lib/ports.ts";
import { poll } from "../../../src/lib/wait.ts";
import type { BackendServer } from "../../../src/load-balancer/engine.ts";
import { runLoad } from "../../../src/rehearsal/load/ledger.ts";
import { ask, begin, listen, startRig, startServer } from "./embedded-rig.ts";

interface ServerProcess extends AsyncDisposable, BackendServer {
  /** Method and id of every request that it executed. */
  readonly executed: string[];
  kill(): void;
}

async function startServerProcess(name: string): Promise<ServerProcess> {
  const script = fileURLToPath(new URL("./embedded-backend.ts", import.meta.url));
  const child = spawn(process.execPath, ["run", "-A", "--quiet", script, name], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  const executed: string[] = [];
  const lines = createInterface({ input: child.stdout });
  const [first] = await once(lines, "line");
  lines.on("line", (line) => executed.push(line));
  return {
    name,
    host: "127.0.0.1",
    port: Number(String(first).slice("PORT ".length)),
    draining: false,
    executed,
    kill: () => child.kill("SIGKILL"),
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

/** A server that is ready, and answers everything else by `answer`. */
async function startScripted(
  name: string,
  answer: (socket: Socket) => void,
): Promise<BackendServer & Disposable & { readonly received: string[] }> {
  const server = createNetServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", (data) => {
      if (String(data).startsWith("GET /dragoman/readyz")) {
        socket.end("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        return;
      }
      scripted.received.push(String(data).split(" ", 1)[0]!);
      answer(socket);
    });
  });
  const scripted = {
    name,
    host: "127.0.0.1",
    port: await listen(server),
    draining: false,
    received: [] as string[], // methods
    [Symbol.dispose]: () => void server.close(),
  };
  return scripted;
}

const kept = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

describe("The embedded balancer, when a server is killed under load,", () => {
  it("fails no GET of a client that never retries", async () => {
    await using one = await startServerProcess("one");
    await using two = await startServerProcess("two");
    await using rig = await startRig([one, two]);
    await rig.until("one", "up");
    await rig.until("two", "up");
    let answered = 0;

    const report = await runLoad({
      url: rig.url,
      requests: 1_500,
      concurrency: 16,
      onResponse: () => ++answered === 500 && one.kill(),
    });

    assert.deepEqual(report.failed, []);
    assert.equal(report.ok, 1_500);
    await rig.until("one", "down");
    assert.ok(one.executed.length >= 200, `the killed server had ${one.executed.length} requests`);
  });

  it("executes no POST twice, and fails only those that the killed server held", async () => {
    await using one = await startServerProcess("one");
    await using two = await startServerProcess("two");
    await using rig = await startRig([one, two]);
    await rig.until("one", "up");
    await rig.until("two", "up");
    let answered = 0;

    const report = await runLoad({
      url: rig.url,
      requests: 1_500,
      concurrency: 16,
      method: "POST",
      body: '{"amount":1}',
      onResponse: () => ++answered === 500 && one.kill(),
    });

    const all = [...one.executed, ...two.executed];
    assert.equal(new Set(all).size, all.length);
    assert.ok(report.failed.length <= 16, `${report.failed.length} failed`);
    assert.ok(report.failed.every(({ reason }) => reason === "status 502"));
  });
});

describe("The embedded balancer retries", () => {
  const broken: Record<string, (socket: Socket) => void> = {
    "resets the connection": (socket) => socket.resetAndDestroy(),
    "closes without an answer": (socket) => socket.end(),
    "breaks off within the head": (socket) => socket.end("HTTP/1.1 200 OK\r\nConte"),
    "answers something that is not HTTP": (socket) => socket.end("hello\r\n\r\n"),
    "answers ambiguously": (socket) => {
      socket.end(
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      );
    },
    "does not answer": () => {},
  };
  for (const [name, answer] of Object.entries(broken)) {
    it(`a GET, but not a POST, when a server ${name}`, async () => {
      using bad = await startScripted("bad", answer);
      await using good = await startServer("good");
      await using rig = await startRig([bad, good], { timeouts: { serverMs: 150 } });
      await rig.until("bad", "up");
      const post = { method: "POST", body: "{}" };

      const gets = [await ask(rig.port), await ask(rig.port)];
      const posts = [await ask(rig.port, post), await ask(rig.port, post)];

      assert.deepEqual(gets.map(({ body }) => body), ["good", "good"]);
      const failure = name === "does not answer" ? 504 : 502;
      assert.deepEqual(posts.map(({ status }) => status).sort(), [200, failure]);
      assert.equal(bad.received.filter((method) => method === "POST").length, 1);
      assert.equal(good.requests.filter(({ method }) => method === "POST").length, 1);
      assert.equal(
        posts.find(({ status }) => status === failure)?.headers["content-type"],
        "application/problem+json",
      );
    });
  }

  it("a POST on a kept connection not at all when that dies", async () => {
    // The first request of the connection is answered, the second one kills it.
    using bad = await startScripted("bad", (socket) => {
      if (bad.received.length === 2) socket.resetAndDestroy();
      else socket.write(kept);
    });
    await using rig = await startRig([bad], { timeouts: { serverMs: 2_000 } });
    await rig.until("bad", "up");
    const post = { method: "POST", body: "{}" };

    const statuses = [(await ask(rig.port, post)).status, (await ask(rig.port, post)).status];

    assert.deepEqual(statuses, [200, 502]);
    assert.equal(bad.received.length, 2);
  });

  it("a POST when the connection could not be made", async () => {
    await using good = await startServer("good", (request, response) => request.pipe(response));
    const gone = { name: "gone", host: "127.0.0.1", port: await findFreePort(), draining: false };
    using once = await startScripted("gone", () => {});
    // It looks healthy for as long as its only listener is there.
    await using rig = await startRig([{ ...gone, port: once.port }, good], {
      healthCheck: { intervalMs: 60_000 },
    });
    await rig.until("gone", "up");
    once[Symbol.dispose]();

    const bodies = [];
    for (let i = 0; i < 4; i++) {
      bodies.push((await ask(rig.port, { method: "POST", body: `order ${i}` })).body);
    }

    assert.deepEqual(bodies, ["order 0", "order 1", "order 2", "order 3"]);
    // The refused connection had it checked at once rather than in a minute.
    await rig.until("gone", "down");
  });

  it("a GET with a body of up to 16 KiB, not with a larger one", async () => {
    using bad = await startScripted("bad", () => {});
    await using good = await startServer("good", (request, response) => request.pipe(response));
    const settings = { timeouts: { serverMs: 150 } };
    for (const [length, status] of [[16 * 1024, 200], [16 * 1024 + 1, 504]] as const) {
      await using rig = await startRig([bad, good], settings);
      await rig.until("bad", "up");
      const request = { body: "x".repeat(length), headers: { "Content-Length": length } };

      const answers = [await ask(rig.port, request), await ask(rig.port, request)];

      assert.deepEqual(answers.map((answer) => answer.status).sort(), [200, status]);
      assert.ok(answers.every((answer) => answer.status === 504 || answer.body === request.body));
    }
  });
});

describe("The embedded balancer answers", () => {
  it("503 when the only server refuses connections", async () => {
    const gone = { name: "gone", host: "127.0.0.1", port: await findFreePort(), draining: false };
    await using rig = await startRig([gone]);
    await rig.until("gone", "down");

    const answer = await ask(rig.port);

    assert.equal(answer.status, 503);
    const [server] = (await rig.engine.status()).servers;
    assert.match(server!.reason, /connection refused/);
  });

  it("503 while the server is not ready, and 200 when it is again", async () => {
    await using one = await startServer("one");
    await using rig = await startRig([one]);

    one.isReady = false;
    await rig.until("one", "down");
    const refused = await ask(rig.port);
    const [described] = (await rig.engine.status()).servers;
    one.isReady = true;
    await rig.until("one", "up");
    const served = await ask(rig.port);

    assert.deepEqual([refused.status, served.status], [503, 200]);
    assert.equal(described!.reason, "Layer7 check: 503");
  });

  it("502 when the server breaks a POST, and counts it", async () => {
    using bad = await startScripted("bad", (socket) => socket.destroy());
    await using rig = await startRig([bad]);
    await rig.until("bad", "up");

    const report = await runLoad({ url: rig.url, requests: 3, concurrency: 1, method: "POST" });

    assert.deepEqual(report.failed.map(({ reason }) => reason), Array(3).fill("status 502"));
    assert.equal((await rig.engine.status()).servers[0]!.errorsTotal, 3);
  });

  it("504 when the server is silent", async () => {
    using silent = await startScripted("silent", () => {});
    await using rig = await startRig([silent], { timeouts: { serverMs: 100 }, retries: 1 });
    await rig.until("silent", "up");

    const answer = await ask(rig.port);

    assert.deepEqual([answer.status, silent.received.length], [504, 2]);
    assert.equal(JSON.parse(answer.body).title, "Gateway Timeout");
  });

  it("with a broken connection when the server breaks off in the middle of a body", async () => {
    const starts = [
      "Content-Length: 9\r\n\r\npart",
      "Transfer-Encoding: chunked\r\n\r\n4\r\npart\r\n",
    ];
    for (const start of starts) {
      using bad = await startScripted("bad", (socket) => socket.end(`HTTP/1.1 200 OK\r\n${start}`));
      await using rig = await startRig([bad]);
      await rig.until("bad", "up");

      const report = await runLoad({ url: rig.url, requests: 1 });

      assert.match(report.failed[0]?.reason ?? "", /truncated|reset/);
      assert.equal(bad.received.length, 1);
    }
  });

  it("with a broken connection when the server falls silent in the middle of a body", async () => {
    using bad = await startScripted("bad", (socket) => {
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart");
    });
    await using rig = await startRig([bad], { timeouts: { serverMs: 100 } });
    await rig.until("bad", "up");

    const report = await runLoad({ url: rig.url, requests: 1 });

    assert.match(report.failed[0]?.reason ?? "", /truncated|reset/);
  });
});

describe("The embedded balancer, when the client gives up,", () => {
  it("ends the request to the server, before the answer and in the middle of it", async () => {
    let ended = 0;
    await using one = await startServer("one", (request, response) => {
      if (request.url === "/answering") response.write("part");
      response.once("close", () => ended++);
    });
    await using rig = await startRig([one]);

    for (const path of ["/waiting", "/answering"]) {
      const before = ended;
      const calling = begin(rig.port, { path }, (request) => {
        request.on("error", () => {});
        request.end();
        if (path === "/waiting") {
          void poll(() => one.requests.some(({ url }) => url === path) || undefined, {
            timeoutMs: 20_000,
          })
            .then(() => request.destroy());
        }
      });
      if (path === "/answering") {
        const { request, response } = await calling;
        response.on("error", () => {});
        request.destroy();
      } else await assert.rejects(calling);
      const seen = await poll(() => ended > before || undefined, { timeoutMs: 20_000 });
      assert.ok(seen, `the server did not learn that the client of ${path} is gone`);
    }
    const idle = await poll(async () => {
      const [server] = (await rig.engine.status()).servers;
      return server!.sessionsCurrent === 0 || undefined;
    }, { timeoutMs: 20_000 });
    assert.ok(idle, "a session is still counted");
  });
});

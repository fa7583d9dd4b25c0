import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { poll } from "../../../src/lib/wait.ts";
import { rawRequest, sendRaw } from "./raw-http.ts";
import type { WorkerProcess } from "./worker-process.ts";

import { startStreamingWorker, type StreamingWorker, tenMb } from "./streaming-worker.ts";

describe("A REST channel that streams", () => {
  let rig: StreamingWorker;
  let worker: WorkerProcess;
  let root: string;

  before(async () => {
    rig = await startStreamingWorker();
    ({ worker, root } = rig);
  });
  after(() => rig[Symbol.asyncDispose]());

  const get = (path: string, headers: Record<string, string> = {}) =>
    worker.fetch(path, { headers: { "Accept-Encoding": "identity", ...headers } });

  async function rss(): Promise<number> {
    const status = await readFile(`/proc/${worker.child.pid}/status`, "utf8");
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) * 1_024;
  }

  it("sends 300 MB without holding them", async () => {
    const size = async (wanted: number) => {
      let bytes = 0;
      for await (const chunk of (await get(`/down?bytes=${wanted}`)).body!) bytes += chunk.length;
      return bytes;
    };
    assert.equal(await size(tenMb), tenMb);
    const before = await rss();

    assert.equal(await size(30 * tenMb), 30 * tenMb);
    // What the collector has not come to yet is part of it.
    assert.ok(await rss() - before < 15 * tenMb, `${before} -> ${await rss()}`);
  });

  it("waits for a client that does not read", async () => {
    const before = await rss();
    const response = await get(`/down?bytes=${200 * 1_048_576}`);
    const reader = response.body!.getReader();
    await reader.read();
    // Another request goes through while the first one stands.
    assert.equal((await get("/blob")).status, 200);

    assert.ok(await rss() - before < 15 * tenMb, `${before} -> ${await rss()}`);
    await reader.cancel();
  });

  it("takes 10 MB as they arrive, plain, chunked and compressed", async () => {
    const plain = new Uint8Array(tenMb).map((_, index) => (index * 31) & 255);
    const stream = () =>
      new ReadableStream({
        start(controller) {
          for (let at = 0; at < tenMb; at += 65_536) {
            controller.enqueue(plain.subarray(at, at + 65_536));
          }
          controller.close();
        },
      });
    const answers = await Promise.all([
      worker.fetch("/up?tag=x", { method: "POST", body: plain }),
      worker.fetch("/up?tag=x", { method: "POST", body: stream() }),
      worker.fetch("/up?tag=x", {
        method: "POST",
        body: gzipSync(plain),
        headers: { "Content-Encoding": "gzip" },
      }),
    ]);

    for (const answer of answers) {
      const { bytes, tag } = await answer.json();
      assert.deepEqual([answer.status, bytes, tag], [200, tenMb, "x"]);
    }
  });

  it("holds streamed bodies to their limit while they flow", async () => {
    const chunk = `3e8\r\n${"x".repeat(1_000)}\r\n`;
    const answer = await sendRaw(
      worker.port,
      `POST /up-small HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}${chunk}0\r\n\r\n`,
    );
    const bomb = await worker.fetch("/up-small", {
      method: "POST",
      body: gzipSync(new Uint8Array(100_000)),
      headers: { "Content-Encoding": "gzip" },
    });

    assert.equal(answer.status, 413);
    assert.equal(bomb.status, 413);
    await bomb.body?.cancel();
  });

  for (const path of ["/forever", "/forever-packed"]) {
    it(`ends the source of ${path} when the client goes`, async () => {
      const ends = () => worker.log.split("source ended").length;
      const aborts = () => worker.log.split("signal aborted").length;
      const [endsBefore, abortsBefore] = [ends(), aborts()];
      const socket = connect(worker.port, "127.0.0.1");
      socket.write(rawRequest(`GET ${path}`, ["Accept-Encoding: gzip"]));
      const head = String(await new Promise((resolve) => socket.once("data", resolve)));
      socket.destroy();
      assert.equal(/content-encoding: gzip/i.test(head), path.endsWith("packed"), head);

      const gone = await poll(
        () => ends() > endsBefore && aborts() > abortsBefore || undefined,
        { timeoutMs: 10_000 },
      );
      assert.ok(gone, worker.log.slice(-2_000));
    });
  }

  it("breaks an answer off when its source fails, and logs why", async () => {
    const response = await get("/broken");

    await assert.rejects(response.text());
    await worker.logged("secret reason");
  });

  it("sends events", async () => {
    const response = await get("/events");

    assert.equal(response.headers.get("content-type"), "text/event-stream");
    assert.equal(response.headers.get("cache-control"), "no-cache");
    assert.equal(
      await response.text(),
      'id: 1\ndata: {"n":1}\n\nevent: note\nretry: 500\ndata: two\ndata: lines\n\n',
    );
  });

  it("answers HEAD for streams, blobs and files without their bytes", async () => {
    for (
      const [path, length] of [["/known", "1000"], ["/blob", "10"], ["/site/main.js", "5000"]]
    ) {
      const answer = await sendRaw(worker.port, rawRequest(`HEAD ${path}`, ["Connection: close"]));

      assert.equal(answer.status, 200);
      assert.match(answer.head, new RegExp(`content-length: ${length}\r\n`, "i"));
      assert.equal(answer.body, "");
    }
  });

  const spools = async () =>
    (await readdir(tmpdir())).filter((name) => name.startsWith("dragoman-upload-"));
  const openSpools = async () => {
    const handles = await readdir(`/proc/${worker.child.pid}/fd`);
    const { readlink } = await import("node:fs/promises");
    const targets = await Promise.all(
      handles.map((handle) => readlink(`/proc/${worker.child.pid}/fd/${handle}`).catch(() => "")),
    );
    return targets.filter((target) => target.includes("dragoman-upload-"));
  };

  it("takes uploads, small ones in memory and large ones from disk, and keeps nothing", async () => {
    const large = new Uint8Array(3 * 1_048_576).map((_, index) => (index * 7) & 255);
    large.set(new TextEncoder().encode("head"));
    large.set(new TextEncoder().encode("tail"), large.length - 4);
    const form = new FormData();
    form.append("title", "Überblick\r\n");
    form.append("count", "7");
    form.append("file", new File([large], "größe.bin", { type: "image/png" }));
    form.append("files[]", new File(["ab"], 'C:\\x\\a"b.txt', { type: "text/plain" }));
    form.append("files[]", new File(["\r\n--x\r\n"], "tricky"));
    const response = await worker.fetch("/upload", { method: "POST", body: form });

    assert.deepEqual([response.status, await response.json()], [200, {
      title: "Überblick\r\n",
      count: 7,
      file: {
        name: "größe.bin",
        type: "image/png",
        size: large.length,
        head: "head",
        tail: "tail",
        sum: large.reduce((sum, byte) => (sum + byte) % 65_536, 0),
      },
      files: [
        { name: 'a"b.txt', type: "text/plain", size: 2, head: "ab", tail: "ab", sum: 195 },
        {
          name: "tricky",
          type: "application/octet-stream",
          size: 7,
          head: "\r\n--",
          tail: "-x\r\n",
          sum: 256,
        },
      ],
    }]);
    assert.deepEqual(await spools(), []);
    assert.ok(
      await poll(async () => (await openSpools()).length === 0 || undefined, {
        timeoutMs: 5_000,
      }),
    );
  });

  it("sends an upload back while it is on disk, then closes it", async () => {
    const form = new FormData();
    form.append("file", new File([new Uint8Array(2_500_000).fill(65)], "a.txt"));
    const response = await worker.fetch("/give", { method: "POST", body: form });

    assert.equal((await response.bytes()).length, 2_500_000);
    assert.ok(
      await poll(async () => (await openSpools()).length === 0 || undefined, {
        timeoutMs: 5_000,
      }),
    );
  });

  it("answers with files that services name", async () => {
    const ask = (input: unknown) =>
      worker.fetch("/file", {
        method: "POST",
        body: JSON.stringify(input),
        headers: { "Content-Type": "application/json" },
      });
    const path = join(root, "www/docs/a b.txt");
    const plain = await ask({ path });
    const named = await ask({ path, as: { name: "Ü 1.csv", download: true } });

    assert.equal(plain.headers.get("content-disposition"), 'inline; filename="a b.txt"');
    assert.equal(plain.headers.get("content-type"), "text/plain; charset=utf-8");
    assert.equal(await plain.text(), "0123456789");
    assert.equal(
      named.headers.get("content-disposition"),
      `attachment; filename="_ 1.csv"; filename*=UTF-8''%C3%9C%201.csv`,
    );
    assert.equal(named.headers.get("content-type"), "text/csv; charset=utf-8");
    assert.equal((await ask({ path: join(root, "none") })).status, 404);
    assert.equal((await ask({ path: root })).status, 404);
  });
});

import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, describe, it } from "node:test";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { rawRequest, sendRaw } from "./raw-http.ts";
import type { WorkerProcess } from "./worker-process.ts";

import { startStreamingWorker, type StreamingWorker } from "./streaming-worker.ts";

describe("A REST channel of files, ranges and conditions", () => {
  let rig: StreamingWorker;
  let worker: WorkerProcess;

  before(async () => {
    rig = await startStreamingWorker();
    ({ worker } = rig);
  });
  after(() => rig[Symbol.asyncDispose]());

  const get = (path: string, headers: Record<string, string> = {}) =>
    worker.fetch(path, { headers: { "Accept-Encoding": "identity", ...headers } });

  const ranges: readonly [string, string, number, string | undefined, string | undefined][] = [
    ["/blob", "bytes=0-3", 206, "bytes 0-3/10", "0123"],
    ["/blob", "bytes=7-", 206, "bytes 7-9/10", "789"],
    ["/blob", "bytes=-2", 206, "bytes 8-9/10", "89"],
    ["/blob", "bytes=-99", 206, "bytes 0-9/10", "0123456789"],
    ["/blob", "bytes=8-99", 206, "bytes 8-9/10", "89"],
    ["/blob", "bytes=10-", 416, undefined, undefined],
    ["/blob", "bytes=5-2", 416, undefined, undefined],
    ["/blob", "bytes=x", 416, undefined, undefined],
    ["/blob", "bytes=", 416, undefined, undefined],
    ["/blob", "bytes=-0", 416, undefined, undefined],
    ["/blob", "bytes=1-2-3", 416, undefined, undefined],
    ["/blob", "lines=1-2", 200, undefined, "0123456789"],
    ["/blob", "bytes=0-9,0-9", 200, undefined, "0123456789"],
    [`/blob`, `bytes=${"0-0,".repeat(20)}1-1`, 200, undefined, "0123456789"],
    ["/site/docs/a%20b.txt", "bytes=2-4", 206, "bytes 2-4/10", "234"],
    ["/known", "bytes=95-104", 206, "bytes 95-104/1000", "aaaaabbbbb"],
    ["/known", "bytes=990-", 206, "bytes 990-999/1000", "jjjjjjjjjj"],
    ["/known", "bytes=1000-", 416, undefined, undefined],
  ];
  for (const [path, range, status, contentRange, text] of ranges) {
    it(`answers ${status} to ${range.slice(0, 20)} of ${path}`, async () => {
      const response = await get(path, { Range: range });

      assert.equal(response.status, status);
      assert.equal(response.headers.get("content-range") ?? undefined, contentRange);
      const body = await response.text();
      if (text !== undefined) assert.equal(body, text);
    });
  }

  it("sends several ranges as parts", async () => {
    const response = await get("/blob", { Range: "bytes=0-1, 8-9" });
    const text = await response.text();
    const boundary = /boundary=(\w+)/.exec(response.headers.get("content-type") ?? "")?.[1];

    assert.equal(response.status, 206);
    assert.equal(response.headers.get("content-length"), String(text.length));
    assert.equal(
      text,
      `\r\n--${boundary}\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-1/10\r\n\r\n01` +
        `\r\n--${boundary}\r\nContent-Type: text/plain\r\nContent-Range: bytes 8-9/10\r\n\r\n89` +
        `\r\n--${boundary}--\r\n`,
    );
  });

  it("sends all of a file when the client's part is of another state", async () => {
    const path = "/site/docs/a%20b.txt";
    const { headers } = await get(path);
    const etag = headers.get("etag")!;
    const statuses = await Promise.all([
      get(path, { Range: "bytes=0-1", "If-Range": etag }),
      get(path, { Range: "bytes=0-1", "If-Range": '"other"' }),
      get(path, { Range: "bytes=0-1", "If-Range": `W/${etag}` }),
      get(path, { Range: "bytes=0-1", "If-Range": headers.get("last-modified")! }),
    ]);

    assert.deepEqual(statuses.map(({ status }) => status), [206, 200, 200, 206]);
  });

  const conditions: readonly [string, Record<string, string>, number][] = [
    ["/tagged", { "If-None-Match": '"v7"' }, 304],
    ["/tagged", { "If-None-Match": 'W/"v7"' }, 304],
    ["/tagged", { "If-None-Match": '"a", "v7"' }, 304],
    ["/tagged", { "If-None-Match": "*" }, 304],
    ["/tagged", { "If-None-Match": '"v6"' }, 200],
    ["/tagged", { "If-Match": '"v7"' }, 200],
    ["/tagged", { "If-Match": '"v6"' }, 412],
    ["/tagged", { "If-Match": 'W/"v7"' }, 412],
    ["/tagged", { "If-Modified-Since": "Thu, 01 Jan 2026 00:00:00 GMT" }, 304],
    ["/tagged", { "If-Modified-Since": "Wed, 31 Dec 2025 00:00:00 GMT" }, 200],
    ["/tagged", { "If-Modified-Since": "nonsense" }, 200],
    ["/tagged", { "If-Unmodified-Since": "Wed, 31 Dec 2025 00:00:00 GMT" }, 412],
    ["/tagged", {
      "If-None-Match": '"v6"',
      "If-Modified-Since": "Thu, 01 Jan 2026 00:00:00 GMT",
    }, 200],
    ["/site/docs/a%20b.txt", { "If-Modified-Since": "Thu, 01 Jan 2026 00:00:00 GMT" }, 304],
    ["/site/docs/a%20b.txt", { "If-None-Match": "*" }, 304],
    ["/site/docs/a%20b.txt", { "If-Match": '"x"' }, 412],
  ];
  for (const [path, headers, status] of conditions) {
    it(`answers ${status} at ${path} to ${JSON.stringify(headers)}`, async () => {
      const response = await get(path, headers);

      assert.equal(response.status, status);
      assert.ok(status !== 304 || response.headers.has("etag"));
      if (status === 304) assert.equal(await response.text(), "");
      else await response.body?.cancel();
    });
  }

  it("lets services hold changes to their conditions", async () => {
    const put = async (headers: Record<string, string>) => {
      const response = await worker.fetch("/tagged", { method: "PUT", headers });
      await response.body?.cancel();
      return response.status;
    };

    assert.deepEqual(
      await Promise.all([
        put({}),
        put({ "If-Match": '"v7"' }),
        put({ "If-Match": '"v6"' }),
        put({ "If-None-Match": "*" }),
      ]),
      [200, 200, 412, 412],
    );
  });

  it("tags answers by their content", async () => {
    const first = await get("/etag?n=10");
    const tag = first.headers.get("etag")!;
    const again = await get("/etag?n=10", { "If-None-Match": tag });
    const other = await get("/etag?n=11", { "If-None-Match": tag });

    assert.match(tag, /^W\/"[\w-]{27}"$/);
    assert.deepEqual([first.status, again.status, other.status], [200, 304, 200]);
    assert.equal(await again.text(), "");
  });

  const encodings: readonly [string, string, string | undefined][] = [
    ["/big", "gzip", "gzip"],
    ["/big", "br, gzip", "br"],
    ["/big", "gzip, br;q=0.5", "gzip"],
    ["/big", "*", "br"],
    ["/big", "br;q=0, gzip;q=0", undefined],
    ["/big", "identity", undefined],
    ["/big", "deflate", undefined],
    ["/big?n=10", "gzip", undefined],
    ["/packed/main.js", "gzip", "gzip"],
    ["/packed/docs/a%20b.txt", "gzip", undefined],
  ];
  for (const [path, accepted, encoding] of encodings) {
    it(`answers ${path} as ${encoding} to who takes ${accepted}`, async () => {
      const { head } = await sendRaw(
        worker.port,
        rawRequest(`GET ${path}`, [`Accept-Encoding: ${accepted}`, "Connection: close"]),
      );

      assert.equal(/content-encoding: (\w+)/i.exec(head)?.[1], encoding, head);
      assert.match(head, /vary: accept-encoding/i);
    });
  }

  it("compresses so that the bytes come back", async () => {
    const plain = await (await get("/big")).text();
    for (
      const [encoding, decode] of [["gzip", gunzipSync], ["br", brotliDecompressSync]] as const
    ) {
      const socket = connect(worker.port, "127.0.0.1");
      socket.write(
        rawRequest("GET /big", [`Accept-Encoding: ${encoding}`, "Connection: close"]),
      );
      const bytes = Buffer.concat(await Array.fromAsync(socket));
      const body = bytes.subarray(bytes.indexOf("\r\n\r\n") + 4);

      assert.equal(decode(body).toString(), plain);
    }
    const file = await worker.fetch("/packed/main.js", { headers: { "Accept-Encoding": "gzip" } });
    assert.equal(await file.text(), "x".repeat(5_000));
  });

  const sites: readonly [string, number, string | undefined][] = [
    ["/site/", 200, "<h1>home</h1>"],
    ["/site/index.html", 200, "<h1>home</h1>"],
    ["/site/docs/", 200, "<h1>docs</h1>"],
    ["/site/docs/a%20b.txt", 200, "0123456789"],
    ["/site/inside.txt", 200, "0123456789"],
    ["/robots.txt", 200, "0123456789"],
    ["/dots/.secret", 200, "secret"],
    ["/site/nothing", 404, undefined],
    ["/site/main.js/", 404, undefined],
    ["/site/main.js/x", 404, undefined],
    ["/app/some/page", 404, undefined],
    ["/locked/x", 500, undefined],
  ];
  for (const [path, status, text] of sites) {
    it(`answers ${status} at ${path}`, async () => {
      const response = await get(path, { Accept: "image/*" });
      const body = await response.text();

      assert.equal(response.status, status, body);
      if (text !== undefined) assert.equal(body, text);
    });
  }

  it("sends browsers from directories to their slash, and to the fallback", async () => {
    const bare = await worker.fetch("/site?a=1", { redirect: "manual" });
    const docs = await worker.fetch("/site/docs", { redirect: "manual" });
    const page = await get("/app/some/page", { Accept: "text/html,*/*;q=0.1" });

    assert.deepEqual([bare.status, bare.headers.get("location")], [308, "/site/?a=1"]);
    assert.deepEqual([docs.status, docs.headers.get("location")], [308, "/site/docs/"]);
    assert.deepEqual([page.status, await page.text()], [200, "<h1>app</h1>"]);
    const file = await get("/site/main.js");
    assert.equal(file.headers.get("content-type"), "text/javascript; charset=utf-8");
    assert.equal(file.headers.get("cache-control"), "max-age=60");
    assert.equal(file.headers.get("x-content-type-options"), "nosniff");
    await file.body?.cancel();
    assert.equal((await worker.fetch("/site/", { method: "POST" })).status, 405);
  });

  for (
    const path of [
      "../outside/passwd",
      "%2e%2e/outside/passwd",
      "..%2foutside%2fpasswd",
      "%2e%2e%2foutside/passwd",
      "docs/..%2f..%2foutside/passwd",
      "docs%2f..%2f..%2foutside%2fpasswd",
      "..%5coutside%5cpasswd",
      "..\\outside\\passwd",
      "%252e%252e/outside/passwd",
      "....//outside/passwd",
      ".%00./outside/passwd",
      "passwd%00.txt",
      "leak/passwd",
      "leak",
      "leak/",
      "passwd",
      "plain.txt",
      ".secret",
      "%2esecret",
      ".hidden/x.txt",
      ".hidden/",
      "docs/.%2e/.secret",
      "/etc/passwd",
      "//etc/passwd",
      "%2fetc%2fpasswd",
      "%c0%ae%c0%ae/outside/passwd",
      "docs/%2e/a%20b.txt",
      "docs//a%20b.txt",
      "docs/\u2025/passwd",
      "a".repeat(300),
      "a/".repeat(500),
    ]
  ) {
    it(`gives nothing away for ${path.slice(0, 40)}`, async () => {
      const answer = await sendRaw(worker.port, rawRequest(`GET /site/${path}`));

      assert.ok(answer.status >= 400 && answer.status < 500, answer.head);
      assert.doesNotMatch(answer.body, /secret/);
    });
  }
});

import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { channel, object, WorkerProcess } from "./worker-process.ts";

/** What the channels below take at most. */
export const tenMb = 10 * 1_048_576;

const services = `
  const { fileResponse, streamResponse, eventStream, requirePreconditions } =
    globalThis[Symbol.for("dragoman.module")];
  async function* chunks(bytes, size = 65_536) {
    for (let sent = 0; sent < bytes; sent += size) {
      yield new Uint8Array(Math.min(size, bytes - sent)).fill(97 + (sent / size) % 26);
    }
  }
  export const down = defineService({
    name: "down", input: z.object({ bytes: z.int() }),
    handle: ({ input }) => chunks(input.bytes),
  });
  export const known = defineService({
    name: "known",
    handle: () => streamResponse(chunks(1_000, 100), { sizeBytes: 1_000, type: "text/plain" }),
  });
  export const up = defineService({
    name: "up", streamBody: true, input: z.object({ tag: z.string().optional() }),
    async handle({ input, request }) {
      let bytes = 0, most = 0;
      for await (const chunk of request.body) {
        bytes += chunk.length;
        most = Math.max(most, process.memoryUsage().rss);
      }
      return { bytes, most, ...input };
    },
  });
  export const forever = defineService({
    name: "forever",
    handle({ log, signal }) {
      signal.addEventListener("abort", () => log.info("signal aborted"));
      return (async function* () {
        try { for (let n = 0; ; n++) { yield "tick " + n + "\\n"; await new Promise((r) => setTimeout(r, 5)); } }
        finally { log.info("source ended"); }
      })();
    },
  });
  export const broken = defineService({
    name: "broken",
    handle: () => (async function* () { yield "some"; throw new Error("secret reason"); })(),
  });
  export const events = defineService({
    name: "events",
    handle: () => eventStream((async function* () {
      yield { data: { n: 1 }, id: "1" };
      yield { data: "two\\nlines", event: "note", retryMs: 500 };
    })()),
  });
  export const blob = defineService({
    name: "blob", handle: () => new Blob(["0123456789"], { type: "text/plain" }),
  });
  export const upload = defineService({
    name: "upload",
    input: z.object({
      title: z.string().optional(), count: z.int().optional(),
      file: z.file().optional(), files: z.array(z.file()).optional(),
    }),
    async handle({ input }) {
      const tell = async (file) => ({
        name: file.name, type: file.type, size: file.size,
        head: await file.slice(0, 4).text(), tail: await file.slice(-4).text(),
        sum: (await file.bytes()).reduce((sum, byte) => (sum + byte) % 65_536, 0),
      });
      return {
        title: input.title, count: input.count, file: input.file && await tell(input.file),
        files: input.files && await Promise.all(input.files.map(tell)),
      };
    },
  });
  export const give = defineService({ name: "give", handle: ({ input }) => input.file });
  export const big = defineService({
    name: "big", handle: ({ input }) => ({ text: "abc ".repeat(Number(input.n ?? 1_000)) }),
  });
  export const tagged = defineService({
    name: "tagged",
    get({ response }) {
      response.headers.set("ETag", '"v7"');
      response.headers.set("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT");
      return { v: 7 };
    },
    put({ request }) { requirePreconditions(request, { etag: '"v7"' }); return "changed"; },
  });
  export const file = defineService({
    name: "file", handle: ({ input }) => fileResponse(input.path, input.as ?? {}),
  });
`;

/** A worker with services that stream, and a directory of files that it serves. */
export interface StreamingWorker extends AsyncDisposable {
  readonly worker: WorkerProcess;
  readonly root: string;
}

/** Starts it. */
export async function startStreamingWorker(): Promise<StreamingWorker> {
  const worker = await WorkerProcess.start();
  const root = await mkdtemp(join(tmpdir(), "dragoman-static-"));
  await mkdir(join(root, "www/docs"), { recursive: true });
  await mkdir(join(root, "www/.hidden"));
  await mkdir(join(root, "outside"));
  const files: Readonly<Record<string, string>> = {
    "www/index.html": "<h1>home</h1>",
    "www/app.html": "<h1>app</h1>",
    "www/docs/index.html": "<h1>docs</h1>",
    "www/docs/a b.txt": "0123456789",
    "www/main.js": "x".repeat(5_000),
    "www/.secret": "secret",
    "www/.hidden/x.txt": "secret",
    "outside/passwd": "secret",
  };
  for (const [path, text] of Object.entries(files)) await writeFile(join(root, path), text);
  await symlink(join(root, "outside"), join(root, "www/leak"));
  await symlink(join(root, "outside/passwd"), join(root, "www/passwd"));
  await symlink(join(root, "www/.secret"), join(root, "www/plain.txt"));
  await symlink(join(root, "www/docs/a b.txt"), join(root, "www/inside.txt"));
  await utimes(join(root, "www/docs/a b.txt"), 1_767_225_600, 1_767_225_600);
  const get = { methods: ["GET"] };
  const directory = join(root, "www");
  const fileChannel = (name: string, path: string, spec: Record<string, unknown>, more = {}) =>
    object("RestChannel", name, { path, security: "none", files: spec, ...more });
  const { failures } = await worker.configure({
    upserted: [
      channel("/down", "down", get),
      channel("/down-small", "down", { ...get, compress: true }),
      channel("/known", "known", get),
      channel("/up", "up", { methods: ["POST"], bodyBytesMax: tenMb }),
      channel("/up-small", "up", { methods: ["POST"], bodyBytesMax: 1_000 }),
      channel("/forever", "forever", get),
      channel("/forever-packed", "forever", { ...get, compress: true, output: "text" }),
      channel("/broken", "broken", get),
      channel("/events", "events", get),
      channel("/blob", "blob", get),
      channel("/upload", "upload", { methods: ["POST"], bodyBytesMax: tenMb }),
      channel("/give", "give", { methods: ["POST"], bodyBytesMax: tenMb }),
      channel("/big", "big", { ...get, compress: true, etag: true }),
      channel("/etag", "big", { ...get, etag: true }),
      channel("/tagged", "tagged", { methods: ["GET", "PUT"] }),
      channel("/file", "file"),
      fileChannel("site", "/site/{path*}", { directory, cacheControl: "max-age=60" }),
      fileChannel("app", "/app/{path*}", { directory, fallback: "app.html" }),
      fileChannel("dots", "/dots/{path*}", { directory, dotFiles: true }),
      fileChannel("packed", "/packed/{path*}", { directory }, { compress: true }),
      fileChannel("one", "/robots.txt", { file: join(directory, "docs/a b.txt") }),
      fileChannel("locked", "/locked/{path*}", { directory: join(root, "nowhere") }),
    ],
    bundles: [await worker.bundle("streams.ts", services)],
  });
  assert.deepEqual(failures, []);
  return {
    worker,
    root,
    async [Symbol.asyncDispose]() {
      await worker[Symbol.asyncDispose]();
      await rm(root, { recursive: true });
    },
  };
}

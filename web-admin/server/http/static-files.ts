import { randomBytes } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { extname, join, relative, sep } from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { PlatformError } from "../../../src/errors/platform-error.ts";
import { securityHeaders } from "./security-headers.ts";

/** Vite writes this into index.html wherever a nonce belongs. */
const noncePlaceholder = "__CSP_NONCE__";

const contentTypes: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
};

interface StaticFile {
  readonly type: string;
  readonly content: Buffer;
  readonly zipped: Buffer;
}

/** The built pages, held in memory: what is not among them does not exist, whatever the path. */
export class StaticFiles {
  readonly #directory: string;
  #files: ReadonlyMap<string, StaticFile> = new Map();
  #loadedAt = 0;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Reads the files unless they are those of the last time; throws WEB_ADMIN_NOT_BUILT. */
  async load(): Promise<void> {
    const file = join(this.#directory, "index.html");
    const builtAt = await stat(file).then((found) => found.mtimeMs, () => undefined);
    if (builtAt === undefined) throw new PlatformError("WEB_ADMIN_NOT_BUILT", { file });
    if (builtAt === this.#loadedAt) return;
    this.#files = await readFiles(this.#directory);
    this.#loadedAt = builtAt;
  }

  /** Answers with the file at `path`, or with the page for any path that is one of its views. */
  async send(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const isView = extname(path) === "" || path === "/index.html";
    if (isView || this.#files.size === 0) await this.load();
    const file = this.#files.get(isView ? "/index.html" : path);
    if (file === undefined) throw new PlatformError("WEB_ADMIN_NO_ROUTE", { path });
    if (isView) sendPage(file, request, response);
    else sendAsset(path, file, { request, response });
  }
}

function sendPage(file: StaticFile, request: IncomingMessage, response: ServerResponse): void {
  const nonce = randomBytes(16).toString("base64url");
  const page = Buffer.from(file.content.toString("utf8").replaceAll(noncePlaceholder, nonce));
  response.writeHead(200, {
    ...securityHeaders(nonce),
    "Content-Type": file.type,
    "Content-Length": page.length,
    "Cache-Control": "no-cache",
  });
  response.end(request.method === "HEAD" ? undefined : page);
}

function sendAsset(
  path: string,
  file: StaticFile,
  { request, response }: { request: IncomingMessage; response: ServerResponse },
): void {
  const isZipped = /\bgzip\b/.test(String(request.headers["accept-encoding"] ?? ""));
  const body = isZipped ? file.zipped : file.content;
  // Vite puts a hash of the content into the name of everything under assets/.
  const isHashed = path.startsWith("/assets/");
  response.writeHead(200, {
    "Content-Type": file.type,
    "Content-Length": body.length,
    "Cache-Control": isHashed ? "public, max-age=31536000, immutable" : "no-cache",
    "Vary": "Accept-Encoding",
    ...(isZipped ? { "Content-Encoding": "gzip" } : {}),
  });
  response.end(request.method === "HEAD" ? undefined : body);
}

async function readFiles(directory: string): Promise<ReadonlyMap<string, StaticFile>> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map(async (entry) => {
    const file = join(entry.parentPath, entry.name);
    const content = await readFile(file);
    const type = contentTypes[extname(file)] ?? "application/octet-stream";
    const path = "/" + relative(directory, file).split(sep).join("/");
    return [path, { type, content, zipped: await promisify(gzip)(content) }] as const;
  });
  return new Map(await Promise.all(files));
}

import { readFile } from "node:fs/promises";
import type { Answers } from "../../http/answers.ts";
import type { Exchange } from "../../http/exchange.ts";
import { openApiDocument } from "../../http/openapi/document.ts";
import type { Generation } from "../../http/route.ts";

/** What is served beside `openapi.json`: one page, which asks for the rest. */
const pageFiles: ReadonlyMap<string, { readonly file: string; readonly type: string }> = new Map([
  ["/dragoman/docs", { file: "index.html", type: "text/html; charset=utf-8" }],
  ["/dragoman/docs/page.css", { file: "page.css", type: "text/css; charset=utf-8" }],
  ["/dragoman/docs/page.js", { file: "page.js", type: "text/javascript; charset=utf-8" }],
]);

const pageHeaders = {
  "Content-Security-Policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
  "Cache-Control": "no-cache",
};

/** The description of a server's channels, and a page to try them. */
export class ApiDocs {
  readonly #title: string;
  readonly #documents = new WeakMap<Generation, string>();

  /** `cluster`: its name is the document's title. */
  constructor({ cluster }: { readonly cluster: string }) {
    this.#title = cluster;
  }

  /** Undefined for paths that are none of the documents'. */
  answer(
    { web: { method }, path, cid }: Exchange,
    { generation, answers }: { readonly generation: Generation; readonly answers: Answers },
  ): Response | Promise<Response> | undefined {
    if (method !== "GET" && method !== "HEAD") return undefined;
    if (path === "/dragoman/openapi.json") {
      const text = this.#document(generation);
      return answers.text(text, { type: "application/json", cid });
    }
    const page = pageFiles.get(path);
    return page === undefined ? undefined : this.#page(page, { answers, cid });
  }

  #document(generation: Generation): string {
    const known = this.#documents.get(generation);
    if (known !== undefined) return known;
    const document = openApiDocument(generation.entries, { title: this.#title, version: "1" });
    const text = JSON.stringify(document);
    this.#documents.set(generation, text);
    return text;
  }

  async #page(
    { file, type }: { readonly file: string; readonly type: string },
    { answers, cid }: { readonly answers: Answers; readonly cid: string },
  ): Promise<Response> {
    const url = new URL(`../../http/openapi/page/${file}`, import.meta.url);
    const answer = answers.text(await readFile(url, "utf8"), { type, cid });
    for (const [name, value] of Object.entries(pageHeaders)) answer.headers.set(name, value);
    return answer;
  }
}

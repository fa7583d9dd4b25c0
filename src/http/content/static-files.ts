import { join } from "node:path";
import { PlatformError } from "../../errors/platform-error.ts";
import { negotiate } from "../../formats/media-type.ts";
import { admit } from "../admit.ts";
import type { Exchange } from "../exchange.ts";
import type { HttpEndpoint } from "../route.ts";
import { sendFile, typeOfFile } from "./byte-answer.ts";
import { openFileSource } from "./byte-source.ts";
import { findStatic } from "./static-path.ts";

/** What a channel serves instead of a service. */
export type StaticFilesOptions = StaticTree | StaticFile;

interface StaticTree {
  /** Absolute. */
  readonly directory: string;
  /** The file that stands for a directory. */
  readonly index: string;
  readonly cacheControl: string | undefined;
  /** The file, below the directory, for pages that are not there: applications in the browser. */
  readonly fallback: string | undefined;
  readonly dotFiles: boolean;
}

interface StaticFile {
  /** Absolute. */
  readonly file: string;
  readonly cacheControl: string | undefined;
}

/** Serves files of the server's disk, with conditions, ranges and types by the names' endings. */
export class StaticFilesEndpoint implements HttpEndpoint {
  readonly #options: StaticFilesOptions;

  constructor(options: StaticFilesOptions) {
    this.#options = options;
  }

  async answer(exchange: Exchange): Promise<Response> {
    await admit(exchange, exchange.route!); // endpoints are reached by a route
    const options = this.#options;
    if ("file" in options) return await this.#send(exchange, options.file);
    const path = exchange.paramValues.at(-1);
    if (path === undefined) return this.#redirect(exchange);
    const found = await findStatic(path, options);
    if (found.type === "file" && !path.endsWith("/")) {
      return await this.#send(exchange, found.path);
    }
    if (found.type === "directory") {
      // Without its slash, links in the page would lead one directory too high.
      if (path !== "" && !path.endsWith("/")) return this.#redirect(exchange);
      const index = await findStatic(join(path, options.index), options);
      if (index.type === "file") return await this.#send(exchange, index.path);
    }
    return await this.#fallBack(exchange, options);
  }

  async #fallBack(exchange: Exchange, options: StaticTree): Promise<Response> {
    const isPage = negotiate(exchange.headers.get("accept"), ["text/html"]) === 0;
    if (options.fallback === undefined || !isPage) throw new PlatformError("REQUEST_NO_CHANNEL");
    const found = await findStatic(options.fallback, options);
    if (found.type !== "file") throw new PlatformError("REQUEST_NO_CHANNEL");
    return await this.#send(exchange, found.path);
  }

  #redirect({ path, queryText, tools, cid }: Exchange): Response {
    const response = tools.answers.bytes(null, cid, 308);
    // Two slashes at the beginning would be another host.
    const target = `${path.replace(/^\/+/, "/")}/`;
    response.headers.set("Location", queryText === "" ? target : `${target}?${queryText}`);
    return response;
  }

  async #send(exchange: Exchange, path: string): Promise<Response> {
    const source = await openFileSource(path);
    if (source === undefined) throw new PlatformError("REQUEST_NO_CHANNEL");
    const headers = new Headers({
      "Content-Type": typeOfFile(path),
      "X-Content-Type-Options": "nosniff",
    });
    const { cacheControl } = this.#options;
    if (cacheControl !== undefined) headers.set("Cache-Control", cacheControl);
    const answer = await sendFile(exchange, source, headers);
    return exchange.tools.answers.streamed(exchange, answer, headers);
  }
}

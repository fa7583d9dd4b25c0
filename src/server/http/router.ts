import { PlatformError } from "../../errors/platform-error.ts";
import type { RouteEntry, RouteMatch, Router } from "../../http/route.ts";
import { createPathTree, type PathTree } from "./path-tree.ts";

/** Longest path that is looked at, in characters. */
const pathMax = 8_192;

/**
 * Compiles a router. Of two entries with the same host, shape, method and accepted type, the later
 * one wins.
 */
export function compileRouter<T>(entries: Iterable<RouteEntry<T>>): Router<T> {
  const general = createPathTree<T>();
  const hosts = new HostTable<T>();
  for (const entry of entries) {
    const tree = entry.host === undefined ? general : hosts.treeOf(entry.host);
    tree.insert(entry);
  }
  if (hosts.isEmpty) return { find: (path) => findIn(general, path) };
  return {
    find(path, headers) {
      for (const tree of hosts.treesFor(hostName(headers))) {
        const found = findIn(tree, path);
        if (found !== undefined) return found;
      }
      return findIn(general, path);
    },
  };
}

function findIn<T>(tree: PathTree<T>, path: string): RouteMatch<T> | undefined {
  return tree.statics.get(path) ?? tree.walk(splitPath(path));
}

/** Targets of some hosts only: by the whole name, or by what it ends in. */
class HostTable<T> {
  readonly #exact = new Map<string, PathTree<T>>();
  readonly #below = new Map<string, PathTree<T>>();

  get isEmpty(): boolean {
    return this.#exact.size === 0 && this.#below.size === 0;
  }

  treeOf(host: string): PathTree<T> {
    const [table, name] = host.startsWith("*.")
      ? [this.#below, host.slice(1)] as const
      : [this.#exact, host] as const;
    const tree = table.get(name) ?? createPathTree<T>();
    table.set(name, tree);
    return tree;
  }

  /** The most specific one first. */
  *treesFor(host: string): Iterable<PathTree<T>> {
    const exact = this.#exact.get(host);
    if (exact !== undefined) yield exact;
    if (this.#below.size === 0) return;
    for (let dot = host.indexOf("."); dot >= 0; dot = host.indexOf(".", dot + 1)) {
      const below = this.#below.get(host.slice(dot));
      if (below !== undefined) yield below;
    }
  }
}

/** `Host` in lower case, without a port and the dot at the end that names may have. */
function hostName(headers: Headers | undefined): string {
  const host = headers?.get("host")?.toLowerCase() ?? "";
  return host.replace(/:\d*$/, "").replace(/\.$/, "");
}

/**
 * The decoded segments of a path. Decoding comes after splitting: an encoded slash is data of its
 * segment. Dot segments are refused, encoded or not, because whoever stood in front may have
 * resolved them differently.
 */
function splitPath(path: string): readonly string[] {
  if (path.length > pathMax) throw new PlatformError("REQUEST_PATH_LENGTH", { limit: pathMax });
  if (/[#\\]/.test(path)) throw malformed("The path has characters that must be percent-encoded");
  const segments = path.slice(1).split("/");
  for (let index = 0; index < segments.length; index++) {
    const raw = segments[index]!;
    const segment = raw.includes("%") ? decode(raw) : raw;
    if (segment === "." || segment === "..") throw malformed("The path has dot segments");
    segments[index] = segment;
  }
  return segments;
}

function decode(segment: string): string {
  let text: string;
  try {
    text = decodeURIComponent(segment);
  } catch (error) {
    throw malformed("The path has percent signs that encode no UTF-8 character", error);
  }
  // deno-lint-ignore no-control-regex -- control characters are what is looked for
  if (/[\x00-\x1f\x7f]/.test(text)) throw malformed("The path has control characters");
  return text;
}

function malformed(reason: string, cause?: unknown): PlatformError {
  return new PlatformError("REQUEST_MALFORMED", { reason }, { cause });
}

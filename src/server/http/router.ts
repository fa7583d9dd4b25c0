import type { PathTemplate } from "../../connectors/rest/path-template.ts";
import { PlatformError } from "../../errors/platform-error.ts";

/** Something that can be routed to. */
export interface RouteEntry<T> {
  readonly template: PathTemplate;
  readonly methods: readonly string[];
  readonly target: T;
}

/** What a path leads to, whatever the method. */
export interface RouteMatch<T> {
  /** Method -> target. */
  readonly targets: ReadonlyMap<string, T>;
  /** Decoded values of the template's `{name}` parts, in order; empty for a static path. */
  readonly values: readonly string[];
}

/** Finds the targets of a path. Immutable: a new set of channels is a new router. */
export interface Router<T> {
  /**
   * `path` is as the client sent it, without the query. A static path costs one look-up; others
   * are walked segment by segment, literals before `{name}` before `{name*}`, independent of how
   * many channels there are. Throws REQUEST_MALFORMED and REQUEST_PATH_LENGTH for paths that no
   * honest client sends.
   */
  find(path: string): RouteMatch<T> | undefined;
}

/** Longest path that is looked at, in characters. */
const pathMax = 8_192;

interface Node<T> {
  readonly literals: Map<string, Node<T>>;
  param: Node<T> | undefined;
  wildcard: Map<string, T> | undefined;
  targets: Map<string, T> | undefined;
}

/** Compiles a router. Of two entries with the same shape and method, the later one wins. */
export function compileRouter<T>(entries: Iterable<RouteEntry<T>>): Router<T> {
  const root = createNode<T>();
  const statics = new Map<string, RouteMatch<T>>();
  for (const entry of entries) {
    const targets = insert(root, entry);
    if (entry.template.isStatic) statics.set(entry.template.shape, { targets, values: [] });
  }
  return {
    find(path) {
      return statics.get(path) ?? walk(root, path);
    },
  };
}

function createNode<T>(): Node<T> {
  return { literals: new Map(), param: undefined, wildcard: undefined, targets: undefined };
}

function insert<T>(root: Node<T>, { template, methods, target }: RouteEntry<T>): Map<string, T> {
  let node = root;
  let targets: Map<string, T> | undefined;
  for (const segment of template.segments) {
    if (segment.type === "wildcard") {
      targets = node.wildcard ??= new Map();
    } else if (segment.type === "param") {
      node = node.param ??= createNode();
    } else {
      const next = node.literals.get(segment.text) ?? createNode<T>();
      node.literals.set(segment.text, next);
      node = next;
    }
  }
  targets ??= node.targets ??= new Map();
  for (const method of methods) targets.set(method, target);
  return targets;
}

function walk<T>(root: Node<T>, path: string): RouteMatch<T> | undefined {
  const segments = splitPath(path);
  const values: string[] = [];
  const targets = descend(root, { segments, values, index: 0 });
  return targets === undefined ? undefined : { targets, values };
}

interface Walk {
  readonly segments: readonly string[];
  readonly values: string[];
  readonly index: number;
}

function descend<T>(node: Node<T>, { segments, values, index }: Walk): Map<string, T> | undefined {
  if (index === segments.length) return node.targets;
  const segment = segments[index]!;
  const literal = node.literals.get(segment);
  if (literal !== undefined) {
    const found = descend(literal, { segments, values, index: index + 1 });
    if (found !== undefined) return found;
  }
  if (node.param !== undefined && segment !== "") {
    values.push(segment);
    const found = descend(node.param, { segments, values, index: index + 1 });
    if (found !== undefined) return found;
    values.pop();
  }
  // A wildcard takes what is left only when it names one thing: "a//b" and "a/" do not.
  if (node.wildcard !== undefined && !segments.includes("", index)) {
    values.push(segments.slice(index).join("/"));
    return node.wildcard;
  }
  return undefined;
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

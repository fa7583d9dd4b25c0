import { type ParamType, paramTypes } from "./param-types.ts";

/** One part of a path between slashes. */
export type Segment =
  | { readonly type: "literal"; readonly text: string }
  /** `{name}` or `{name:int}`: one segment, never empty. */
  | { readonly type: "param"; readonly name: string; readonly of: ParamType | undefined }
  /** `{name*}`: everything that is left, at least one segment. Only at the end. */
  | { readonly type: "wildcard"; readonly name: string };

export interface PathTemplate {
  readonly segments: readonly Segment[];
  /** The template with its names left out, `/customers/{}`: equal shapes match the same paths. */
  readonly shape: string;
  /** True when nothing in it varies. */
  readonly isStatic: boolean;
}

const segmentsMax = 32;
const paramPattern = /^\{([a-z][a-z0-9_]*)(?::([a-z]+)|(\*))?\}$/i;

/**
 * Reads a template such as `/customers/{id:int}/files/{rest*}`; the answer is a text that says what is
 * wrong with it. Literal parts are written decoded and compared with the decoded request.
 */
export function parsePathTemplate(path: string): PathTemplate | string {
  if (!path.startsWith("/")) return `The path "${path}" does not begin with "/"`;
  if (path === "/dragoman" || path.startsWith("/dragoman/")) {
    return 'Paths under "/dragoman/" are the platform\'s own';
  }
  const parts = path.slice(1).split("/");
  if (parts.length > segmentsMax) return `A path has at most ${segmentsMax} segments`;
  const segments: Segment[] = [];
  const names = new Set<string>();
  for (const [index, part] of parts.entries()) {
    const segment = parseSegment(part, { isLast: index === parts.length - 1 });
    if (typeof segment === "string") return segment;
    if (segment.type !== "literal") {
      if (names.has(segment.name)) return `The name "${segment.name}" stands twice in the path`;
      names.add(segment.name);
    }
    segments.push(segment);
  }
  const shape = segments.map(shapeOf).join("");
  return { segments, shape, isStatic: names.size === 0 };
}

/** The names of the variable parts, in order. */
export function paramNames({ segments }: PathTemplate): readonly string[] {
  return segments.flatMap((segment) => segment.type === "literal" ? [] : [segment.name]);
}

function parseSegment(part: string, { isLast }: { readonly isLast: boolean }): Segment | string {
  const param = paramPattern.exec(part);
  if (param !== null) {
    const name = param[1]!;
    if (param[3] === undefined) return parseParam(name, param[2]);
    return isLast ? { type: "wildcard", name } : `"{${name}*}" can only stand at the end of a path`;
  }
  if (part === "" && !isLast) return 'A path has no empty segments ("//")';
  if (part === "." || part === "..") return `A path has no "${part}" segments`;
  if (/[{}]/.test(part)) {
    return `The segment "${part}" is not a whole "{name}"; names are letters, digits and underscores`;
  }
  if (/[\s\p{Cc}%?#\\]/u.test(part)) {
    return `The segment "${part}" has a space, control character, %, ?, # or \\ in it`;
  }
  return { type: "literal", text: part };
}

function parseParam(name: string, type: string | undefined): Segment | string {
  const of = paramTypes.find((one) => one === type);
  if (type === undefined || of !== undefined) return { type: "param", name, of };
  return `"${type}" is not a type of path parts; there are ${paramTypes.join(", ")}`;
}

function shapeOf(segment: Segment): string {
  switch (segment.type) {
    case "literal":
      return `/${segment.text}`;
    case "param":
      return segment.of === undefined ? "/{}" : `/{:${segment.of}}`;
    case "wildcard":
      return "/{*}";
  }
}

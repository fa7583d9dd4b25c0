import type { Claim } from "../catalog/kind.ts";
import { parsePathTemplate } from "./path-template.ts";

export interface ClaimedPath {
  readonly path: string;
  readonly methods: readonly string[];
  readonly host?: string | undefined;
  readonly accept?: string | undefined;
  /** The path without its wildcard is taken as well. */
  readonly takesDirectories?: boolean;
}

/**
 * The requests that a channel takes for itself: those of its methods at paths of its shape, for its
 * host and media type. Channels of which one is more specific have different claims.
 */
export function claimPath(
  { path, methods, host, accept, takesDirectories = false }: ClaimedPath,
): readonly Claim[] {
  const more = `${host === undefined ? "" : ` of ${host}`}${
    accept === undefined ? "" : ` for ${accept}`
  }`;
  return shapesOf(path, takesDirectories).flatMap((shape) =>
    methods.map((method) => ({
      key: `http ${method} ${host ?? ""} ${accept ?? ""} ${shape}`,
      what: `${method} at "${path}"${more}`,
    }))
  );
}

// Every change looks at all channels: each path is read once.
const shapes = new Map<string, readonly string[]>();
const shapesMax = 50_000;

function shapesOf(path: string, takesDirectories: boolean): readonly string[] {
  const key = takesDirectories ? `directories ${path}` : path;
  const known = shapes.get(key);
  if (known !== undefined) return known;
  if (shapes.size >= shapesMax) shapes.clear();
  const template = parsePathTemplate(path);
  const made = typeof template === "string"
    ? []
    : [template.shape, ...(takesDirectories ? directoryShape(template.shape) : [])];
  shapes.set(key, made);
  return made;
}

function directoryShape(shape: string): readonly string[] {
  const base = shape.endsWith("/{*}") ? shape.slice(0, -"/{*}".length) : "";
  return base === "" ? [] : [base];
}

import { fitsParam, type ParamType, paramTypes } from "../../http/param-types.ts";
import type { RouteEntry, RouteMatch, Variant } from "../../http/route.ts";

/** Where the paths of one set of hosts lead. */
export interface PathTree<T> {
  /** Matches of paths in which nothing varies, by the path as clients send it. */
  readonly statics: ReadonlyMap<string, RouteMatch<T>>;
  insert(entry: RouteEntry<T>): void;
  /** What decoded segments lead to. Visits each node of the tree at most once. */
  walk(segments: readonly string[]): RouteMatch<T> | undefined;
}

/** What stands at one end of the tree. */
interface Leaf<T> {
  readonly targets: Map<string, T>;
  variants: Map<string, Variant<T>[]> | undefined;
}

interface TypedChild<T> {
  readonly of: ParamType;
  readonly node: Node<T>;
}

interface Node<T> {
  readonly literals: Map<string, Node<T>>;
  /** Narrow types first. */
  typed: TypedChild<T>[] | undefined;
  param: Node<T> | undefined;
  wildcard: Leaf<T> | undefined;
  /** A wildcard that takes directories as well. */
  directories: Leaf<T> | undefined;
  leaf: Leaf<T> | undefined;
}

export function createPathTree<T>(): PathTree<T> {
  const root = createNode<T>();
  const statics = new Map<string, RouteMatch<T>>();
  return {
    statics,
    insert(entry) {
      const leaf = leafOf(root, entry);
      add(leaf, entry);
      const { shape, isStatic } = entry.template;
      if (isStatic) statics.set(shape, { ...leaf, values: [] });
    },
    walk(segments) {
      const values: string[] = [];
      const leaf = descend(root, { segments, values, index: 0 });
      return leaf && { targets: leaf.targets, variants: leaf.variants, values };
    },
  };
}

function createNode<T>(): Node<T> {
  return {
    literals: new Map(),
    typed: undefined,
    param: undefined,
    wildcard: undefined,
    directories: undefined,
    leaf: undefined,
  };
}

function createLeaf<T>(): Leaf<T> {
  return { targets: new Map(), variants: undefined };
}

function leafOf<T>(root: Node<T>, { template, takesDirectories }: RouteEntry<T>): Leaf<T> {
  let node = root;
  for (const segment of template.segments) {
    switch (segment.type) {
      case "wildcard": {
        if (takesDirectories) return node.directories ??= createLeaf();
        return node.wildcard ??= createLeaf();
      }
      case "param":
        node = segment.of === undefined
          ? node.param ??= createNode()
          : typedChild(node, segment.of);
        break;
      case "literal": {
        const next = node.literals.get(segment.text) ?? createNode<T>();
        node.literals.set(segment.text, next);
        node = next;
      }
    }
  }
  return node.leaf ??= createLeaf();
}

function typedChild<T>(parent: Node<T>, of: ParamType): Node<T> {
  const known = parent.typed?.find((child) => child.of === of);
  if (known !== undefined) return known.node;
  const node = createNode<T>();
  const width = (child: TypedChild<T>) => paramTypes.indexOf(child.of);
  parent.typed = [...parent.typed ?? [], { of, node }].sort((a, b) => width(a) - width(b));
  return node;
}

function add<T>(leaf: Leaf<T>, { methods, accept, target }: RouteEntry<T>): void {
  for (const method of methods) {
    if (accept === undefined) {
      leaf.targets.set(method, target);
      continue;
    }
    leaf.variants ??= new Map();
    const others = leaf.variants.get(method)?.filter((variant) => variant.accept !== accept) ?? [];
    // Of types that a client likes alike, the narrower comes first; then the alphabet decides.
    const rank = (variant: Variant<T>) => variant.accept.replace("*", "\uffff");
    leaf.variants.set(
      method,
      [...others, { accept, target }].sort((a, b) => rank(a) < rank(b) ? -1 : 1),
    );
  }
}

interface Walk {
  readonly segments: readonly string[];
  readonly values: string[];
  readonly index: number;
}

function descend<T>(node: Node<T>, walk: Walk): Leaf<T> | undefined {
  const { segments, values, index } = walk;
  if (index === segments.length) return node.leaf;
  const segment = segments[index]!;
  const literal = node.literals.get(segment);
  const next = { segments, values, index: index + 1 };
  const found = literal && descend(literal, next);
  if (found !== undefined) return found;
  if (segment !== "") {
    const variable = descendVariable(node, segment, next);
    if (variable !== undefined) return variable;
  }
  return takeRest(node, walk);
}

function descendVariable<T>(node: Node<T>, segment: string, next: Walk): Leaf<T> | undefined {
  for (const { of, node: child } of node.typed ?? []) {
    if (!fitsParam(of, segment)) continue;
    const found = descendWith(child, segment, next);
    if (found !== undefined) return found;
  }
  return node.param && descendWith(node.param, segment, next);
}

function descendWith<T>(node: Node<T>, value: string, next: Walk): Leaf<T> | undefined {
  next.values.push(value);
  const found = descend(node, next);
  if (found === undefined) next.values.pop();
  return found;
}

// A wildcard takes what is left only when it names one thing: "a//b" and "a/" do not; the latter
// is a directory's name.
function takeRest<T>(
  { wildcard, directories }: Node<T>,
  { segments, values, index }: Walk,
): Leaf<T> | undefined {
  if (wildcard === undefined && directories === undefined) return undefined;
  const empty = segments.indexOf("", index);
  const leaf = empty < 0
    ? wildcard ?? directories
    : empty === segments.length - 1
    ? directories
    : undefined;
  if (leaf !== undefined) values.push(segments.slice(index).join("/"));
  return leaf;
}

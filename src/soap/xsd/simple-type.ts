import { xsdNamespace } from "../../xml/namespaces.ts";
import { anySimple, listOf } from "./builtin-types.ts";
import type { Cursor } from "./cursor.ts";
import type { XsdFacets, XsdSimple } from "./model.ts";
import type { QName } from "./names.ts";

/** Finds simple types that others refer to. */
export type SimpleFinder = (name: QName, at: Cursor) => XsdSimple;

/** Reads a `simpleType`: a restriction, a list or a union. */
export function readSimpleType(
  at: Cursor,
  id: QName | undefined,
  find: SimpleFinder,
): XsdSimple {
  const [restriction] = at.children(xsdNamespace, "restriction");
  if (restriction !== undefined) {
    return { ...restrict(baseOf(restriction, "base", find), restriction), id };
  }
  const [list] = at.children(xsdNamespace, "list");
  if (list !== undefined) return listOf(baseOf(list, "itemType", find), { id });
  const [union] = at.children(xsdNamespace, "union");
  if (union === undefined) throw at.error("it is no restriction, no list and no union");
  const named = (union.attribute("memberTypes") ?? "").split(/\s+/).filter((text) => text !== "")
    .map((text) => find(union.resolve(text), union));
  const own = union.children(xsdNamespace, "simpleType")
    .map((one) => readSimpleType(one, undefined, find));
  return { ...anySimple, id, facets: {}, members: [...named, ...own] };
}

/** The same type with the facets of a `restriction`. */
export function restrict(base: XsdSimple, at: Cursor): XsdSimple {
  const values = at.children(xsdNamespace, "enumeration").map((one) =>
    one.element.attributes.find(({ name }) => name === "value")?.value ?? ""
  );
  const facets: XsdFacets = {
    ...base.facets,
    ...values.length === 0 ? {} : { values },
    ...bound(at, "minimum", "minInclusive"),
    ...bound(at, "maximum", "maxInclusive"),
    ...bound(at, "minLength", "minLength"),
    ...bound(at, "maxLength", "maxLength"),
    ...bound(at, "minLength", "length"),
    ...bound(at, "maxLength", "length"),
  };
  return { ...base, facets };
}

function bound(at: Cursor, key: keyof XsdFacets, facet: string): XsdFacets {
  const value = Number(at.child(xsdNamespace, facet)?.attribute("value") ?? "none");
  return Number.isFinite(value) ? { [key]: value } : {};
}

function baseOf(at: Cursor, attribute: string, find: SimpleFinder): XsdSimple {
  const name = at.reference(attribute);
  if (name !== undefined) return find(name, at);
  const inner = at.child(xsdNamespace, "simpleType");
  if (inner === undefined) throw at.error(`it has no ${attribute}`);
  return readSimpleType(inner, undefined, find);
}

import type { QName } from "./names.ts";

/** What an element can hold. Types refer to each other, and to themselves. */
export type XsdType = XsdSimple | XsdComplex | XsdAnything;

/** `xs:anyType`, and what nobody described. */
export interface XsdAnything {
  readonly kind: "anything";
}

/** How the text of a simple type becomes a value. */
export type XsdPrimitive =
  | "string"
  | "token"
  | "boolean"
  | "integer"
  | "decimal"
  | "double"
  | "date"
  | "dateTime"
  | "time"
  | "base64"
  | "hex";

export interface XsdFacets {
  readonly values?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
}

/** A text. */
export interface XsdSimple {
  readonly kind: "simple";
  readonly id: QName | undefined;
  readonly primitive: XsdPrimitive;
  /** Set for a list, whose items are apart by spaces. */
  readonly item?: XsdSimple;
  /** Set for a union: the first one that fits. */
  readonly members?: readonly XsdSimple[];
  readonly facets: XsdFacets;
}

/** Elements, attributes, and text with attributes. */
export interface XsdComplex {
  readonly kind: "complex";
  readonly id: QName | undefined;
  readonly isAbstract: boolean;
  readonly description: string | undefined;
  /** Made when first asked for: a type may hold itself. */
  readonly content: XsdContent;
}

export interface XsdContent {
  /** What the type extends or restricts. */
  readonly base: XsdComplex | undefined;
  readonly attributes: readonly XsdAttribute[];
  readonly takesAnyAttribute: boolean;
  /** The text of a type that has no elements. */
  readonly text: XsdSimple | undefined;
  /** Text between elements. */
  readonly isMixed: boolean;
  readonly particles: readonly XsdParticle[];
}

export interface XsdAttribute extends QName {
  readonly type: XsdSimple;
  readonly isRequired: boolean;
  /** A fixed value. */
  readonly fixed: string | undefined;
}

export type XsdParticle = XsdElement | XsdGroup | XsdWildcard;

/** How often a particle stands in a row; `max` may be Infinity. */
export interface XsdOccurs {
  readonly min: number;
  readonly max: number;
}

export interface XsdElement extends QName, XsdOccurs {
  readonly kind: "element";
  readonly type: XsdType;
  readonly isNillable: boolean;
  readonly fixed: string | undefined;
  readonly description: string | undefined;
}

export interface XsdGroup extends XsdOccurs {
  readonly kind: "sequence" | "choice" | "all";
  readonly particles: readonly XsdParticle[];
}

/** `xs:any` */
export interface XsdWildcard extends XsdOccurs {
  readonly kind: "wildcard";
}

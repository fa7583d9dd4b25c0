import { xsdNamespace } from "../../xml/namespaces.ts";
import { anySimple } from "./builtin-types.ts";
import type { Cursor } from "./cursor.ts";
import type { XsdAttribute, XsdComplex, XsdContent, XsdSimple } from "./model.ts";
import { keyOf, type QName } from "./names.ts";
import { readParticle } from "./particle.ts";
import { documentationOf, isTrue, type SchemaDocument, type Schemas } from "./schemas.ts";
import { readSimpleType, restrict } from "./simple-type.ts";

export interface ComplexTypeContext {
  readonly id: QName | undefined;
  readonly schema: SchemaDocument;
  readonly set: Schemas;
}

/** Reads a `complexType`; what is in it, when that is first asked for. */
export function readComplexType(at: Cursor, context: ComplexTypeContext): XsdComplex {
  let content: XsdContent | undefined;
  let isReading = false;
  const read = (): XsdContent => {
    if (isReading) throw at.error("it extends itself");
    isReading = true;
    try {
      return context.set.nested(at, () => readContent(at, context));
    } finally {
      isReading = false;
    }
  };
  return {
    kind: "complex",
    id: context.id,
    isAbstract: isTrue(at.attribute("abstract")),
    description: documentationOf(at),
    get content() {
      return content ??= read();
    },
  };
}

const soapEncoding = "http://schemas.xmlsoap.org/soap/encoding/";

function readContent(at: Cursor, context: ComplexTypeContext): XsdContent {
  const simple = at.child(xsdNamespace, "simpleContent");
  if (simple !== undefined) return simpleContent(simple, context);
  const complex = at.child(xsdNamespace, "complexContent");
  const isMixed = isTrue(complex?.attribute("mixed") ?? at.attribute("mixed"));
  if (complex === undefined) return { ...ownContent(at, context), isMixed };
  const [derivation] = complex.children(xsdNamespace).filter(({ name }) =>
    name === "extension" || name === "restriction"
  );
  if (derivation === undefined) throw complex.error("it is no extension and no restriction");
  const base = baseOf(derivation, context);
  const own = ownContent(derivation, context);
  if (base === undefined) return { ...own, isMixed };
  const isExtension = derivation.name === "extension";
  const { content } = base;
  return {
    base,
    attributes: merged(content.attributes, own.attributes),
    takesAnyAttribute: content.takesAnyAttribute || own.takesAnyAttribute,
    text: content.text,
    isMixed: isMixed || content.isMixed,
    particles: isExtension ? [...content.particles, ...own.particles] : own.particles,
  };
}

/** Undefined where nothing is taken over from it. */
function baseOf(derivation: Cursor, { set }: ComplexTypeContext): XsdComplex | undefined {
  const name = derivation.reference("base");
  if (name === undefined) throw derivation.error("it has no base");
  if (name.namespace === soapEncoding) {
    throw derivation.error("encoded types (SOAP section 5) are not supported");
  }
  const type = set.type(name, derivation);
  if (type.kind === "simple") throw derivation.error(`"${name.name}" is a simple type`);
  return type.kind === "complex" ? type : undefined;
}

function simpleContent(at: Cursor, context: ComplexTypeContext): XsdContent {
  const { set } = context;
  const [derivation] = at.children(xsdNamespace).filter(({ name }) =>
    name === "extension" || name === "restriction"
  );
  const name = derivation?.reference("base");
  if (derivation === undefined || name === undefined) throw at.error("it has no base");
  const type = set.type(name, derivation);
  const base = type.kind === "complex" ? type : undefined;
  const own = ownAttributes(derivation, context);
  const inherited = base?.content.text ?? (type.kind === "simple" ? type : anySimple);
  const inner = derivation.child(xsdNamespace, "simpleType");
  const text: XsdSimple = inner === undefined
    ? inherited
    : readSimpleType(inner, undefined, (one, place) => set.simple(one, place));
  return {
    base,
    attributes: merged(base?.content.attributes ?? [], own.attributes),
    takesAnyAttribute: own.takesAnyAttribute || base?.content.takesAnyAttribute === true,
    text: derivation.name === "restriction" ? restrict(text, derivation) : text,
    isMixed: false,
    particles: [],
  };
}

function ownContent(at: Cursor, context: ComplexTypeContext): XsdContent {
  const { attributes, takesAnyAttribute } = ownAttributes(at, context);
  const particles = at.children(xsdNamespace).filter(({ name }) => particleNames.has(name))
    .map((one) => readParticle(one, context));
  return {
    base: undefined,
    attributes,
    takesAnyAttribute,
    text: undefined,
    isMixed: false,
    particles,
  };
}

const particleNames = new Set(["sequence", "choice", "all", "group"]);

type Attributes = Pick<XsdContent, "attributes" | "takesAnyAttribute">;

function ownAttributes(at: Cursor, context: ComplexTypeContext): Attributes {
  const { set, schema } = context;
  let attributes: readonly XsdAttribute[] = [];
  let takesAnyAttribute = at.child(xsdNamespace, "anyAttribute") !== undefined;
  for (const one of at.children(xsdNamespace)) {
    if (one.name === "attribute") {
      const attribute = set.attribute(one, schema);
      if (attribute !== undefined) attributes = merged(attributes, [attribute]);
    } else if (one.name === "attributeGroup") {
      const name = one.reference("ref");
      if (name === undefined) throw one.error("it has no ref");
      const group = set.declaration("attributeGroup", name, one);
      const inner = set.nested(
        one,
        () => ownAttributes(group.at, { ...context, schema: group.schema }),
      );
      attributes = merged(attributes, inner.attributes);
      takesAnyAttribute ||= inner.takesAnyAttribute;
    }
  }
  return { attributes, takesAnyAttribute };
}

function merged(
  base: readonly XsdAttribute[],
  own: readonly XsdAttribute[],
): readonly XsdAttribute[] {
  const all = new Map([...base, ...own].map((one) => [keyOf(one), one]));
  return [...all.values()];
}

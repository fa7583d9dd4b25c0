import type { XsdAttribute, XsdComplex, XsdElement, XsdParticle, XsdSimple } from "./model.ts";
import { keyOf } from "./names.ts";

/** A member of an object that is written as a complex type. */
export interface XsdField {
  /** The local name; two elements of one name share a field. */
  readonly key: string;
  readonly element: XsdElement;
  /** A list, also when there is one item. */
  readonly isList: boolean;
  readonly isRequired: boolean;
}

/** A complex type, flat: which members its objects have. */
export interface XsdFields {
  readonly fields: ReadonlyMap<string, XsdField>;
  /** By `{namespace}name`. */
  readonly byName: ReadonlyMap<string, XsdField>;
  readonly takesAnyElement: boolean;
  /** Set for types that are nothing but a text. */
  readonly scalar: XsdSimple | undefined;
}

/** What an attribute is called in JSON. */
export function attributeKey({ name }: XsdAttribute): string {
  return `@${name}`;
}

/** What the text beside attributes, or between elements, is called in JSON. */
export const textKey = "#text";

/** What names the type of an object that is of a type derived from the declared one. */
export const typeKey = "@xsi:type";

const known = new WeakMap<XsdComplex, XsdFields>();

/** Walks a type, once. */
export function fieldsOf(type: XsdComplex): XsdFields {
  const before = known.get(type);
  if (before !== undefined) return before;
  const { particles, text, attributes, takesAnyAttribute } = type.content;
  const collected = new FieldCollector();
  for (const particle of particles) collected.add(particle, { isOptional: false, isList: false });
  const made: XsdFields = {
    fields: collected.fields,
    byName: collected.byName,
    takesAnyElement: collected.takesAnyElement,
    scalar: attributes.length === 0 && !takesAnyAttribute ? text : undefined,
  };
  known.set(type, made);
  return made;
}

class FieldCollector {
  readonly fields = new Map<string, XsdField>();
  readonly byName = new Map<string, XsdField>();
  takesAnyElement = false;

  add(
    particle: XsdParticle,
    { isOptional, isList }: { readonly isOptional: boolean; readonly isList: boolean },
  ): void {
    const inner = {
      isOptional: isOptional || particle.min === 0,
      isList: isList || particle.max > 1,
    };
    switch (particle.kind) {
      case "wildcard":
        this.takesAnyElement = true;
        return;
      case "element":
        if (particle.max > 0) this.#addElement(particle, inner);
        return;
      default:
        for (const one of particle.particles) {
          this.add(one, {
            ...inner,
            isOptional: inner.isOptional ||
              (particle.kind === "choice" && particle.particles.length > 1),
          });
        }
    }
  }

  #addElement(
    element: XsdElement,
    { isOptional, isList }: { readonly isOptional: boolean; readonly isList: boolean },
  ): void {
    const { name: key } = element;
    const before = this.fields.get(key);
    // A name that stands in two places of a sequence comes twice, in two branches of a choice once;
    // a list is right for both.
    const field: XsdField = before === undefined
      ? { key, element, isList, isRequired: !isOptional }
      : { ...before, isList: true, isRequired: before.isRequired || !isOptional };
    this.fields.set(key, field);
    this.byName.set(keyOf(before?.element ?? element), field);
    this.byName.set(keyOf(element), field);
  }
}

import { attributeKey, fieldsOf, textKey, type XsdField } from "../../../soap/xsd/fields.ts";
import type {
  XsdAttribute,
  XsdComplex,
  XsdFacets,
  XsdPrimitive,
  XsdSimple,
  XsdType,
} from "../../../soap/xsd/model.ts";

/** Which namespaces fields have to say. */
export interface SchemaTextOptions {
  /** The namespace that an element has when its field says none. */
  readonly namespace: string;
  /** True: every field says its own. */
  readonly saysNamespaces: boolean;
}

/** Writes types of a WSDL as zod schemas, each named type once. */
export class SchemaText {
  readonly #options: SchemaTextOptions;
  readonly #names = new Map<XsdComplex, string>();
  readonly #taken = new Set<string>();
  readonly #open = new Set<XsdComplex>();
  /** Types that are written where they are used. */
  readonly #inline = new Set<XsdComplex>();
  readonly #declarations: string[] = [];

  constructor(options: SchemaTextOptions) {
    this.#options = options;
  }

  /** `const` declarations of all types that were asked for, in an order in which they can stand. */
  get declarations(): string {
    return this.#declarations.join("\n");
  }

  /** The fields of a message's element as `z.object({ ... })`. */
  message(type: XsdType): string {
    return type.kind === "complex" && fieldsOf(type).scalar === undefined
      ? this.#inlineText(type)
      : this.type(type);
  }

  /** An rpc message: each part is a field. */
  parts(parts: readonly { readonly name: string; readonly type: XsdType }[]): string {
    const lines = parts.map(({ name, type }) => `${keyText(name)}: ${this.type(type)}`);
    return lines.length === 0 ? "z.object({})" : `z.object({ ${lines.join(", ")} })`;
  }

  type(type: XsdType): string {
    switch (type.kind) {
      case "anything":
        return "z.unknown()";
      case "simple":
        return simpleText(type);
      case "complex": {
        const { scalar } = fieldsOf(type);
        return scalar === undefined ? this.#reference(type) : simpleText(scalar);
      }
    }
  }

  #reference(type: XsdComplex): string {
    const known = this.#names.get(type);
    if (known !== undefined) return known;
    if (type.id === undefined) return this.#inlineText(type);
    const name = this.#freeName(type.id.name);
    this.#names.set(type, name);
    this.#open.add(type);
    const about = type.description === undefined
      ? ""
      : `, description: ${JSON.stringify(type.description)}`;
    const text = this.#objectText(type);
    this.#open.delete(type);
    const meta = `.meta({ id: ${JSON.stringify(type.id.name)}${about} })`;
    this.#declarations.push(`const ${name} = ${text}${meta};\n`);
    return name;
  }

  /** A type without a name that holds itself ends in anything. */
  #inlineText(type: XsdComplex): string {
    if (this.#inline.has(type)) return "z.unknown()";
    this.#inline.add(type);
    const text = this.#objectText(type);
    this.#inline.delete(type);
    return text;
  }

  #freeName(wanted: string): string {
    const base = wanted.replace(/[^A-Za-z0-9]+(.)?/g, (_, next = "") => next.toUpperCase())
      .replace(/^\d/, "_$&");
    const first = base.charAt(0).toLowerCase() + base.slice(1) + "Schema";
    let name = first;
    for (let count = 2; this.#taken.has(name); count++) name = first + count;
    this.#taken.add(name);
    return name;
  }

  #objectText(type: XsdComplex): string {
    const { attributes, text, isMixed, takesAnyAttribute } = type.content;
    const { fields, takesAnyElement } = fieldsOf(type);
    const members = [
      ...attributes.map(attributeText),
      ...text === undefined ? [] : [`"${textKey}": ${withMeta(simpleText(text), "text: true")}`],
      ...[...fields.values()].map((field) => this.#field(field)),
    ];
    const isOpen = takesAnyElement || takesAnyAttribute || isMixed;
    const maker = isOpen ? "z.looseObject" : "z.object";
    return members.length === 0 ? `${maker}({})` : `${maker}({\n${members.join(",\n")},\n})`;
  }

  #field({ key, element, isList, isRequired }: XsdField): string {
    const before = new Set(this.#open);
    const own = this.type(element.type);
    const item = element.isNillable ? `z.nullable(${own})` : own;
    const whole = isList ? `z.array(${item})` : item;
    const optional = isList || isRequired ? whole : `z.optional(${whole})`;
    const { namespace, saysNamespaces } = this.#options;
    const says = saysNamespaces || element.namespace !== namespace;
    const metas = says ? `namespace: ${JSON.stringify(element.namespace)}` : "";
    const about = element.description;
    const text = withMeta(optional, metas, about);
    // A type that is still being written can only be looked at later.
    const isBackwards = element.type.kind === "complex" && before.has(element.type);
    return isBackwards ? `get ${keyText(key)}() {\nreturn ${text};\n}` : `${keyText(key)}: ${text}`;
  }
}

function attributeText(attribute: XsdAttribute): string {
  const own = simpleText(attribute.type);
  const whole = attribute.isRequired ? own : `z.optional(${own})`;
  const namespace = attribute.namespace === ""
    ? ""
    : `, namespace: ${JSON.stringify(attribute.namespace)}`;
  const metas = `name: ${JSON.stringify(attribute.name)}, attribute: true${namespace}`;
  return `${JSON.stringify(attributeKey(attribute))}: ${withMeta(whole, metas)}`;
}

function withMeta(text: string, xml: string, description?: string): string {
  const parts = [
    ...xml === "" ? [] : [`xml: { ${xml} }`],
    ...description === undefined ? [] : [`description: ${JSON.stringify(description)}`],
  ];
  return parts.length === 0 ? text : `${text}.meta({ ${parts.join(", ")} })`;
}

const bases: Readonly<Record<XsdPrimitive, string>> = {
  string: "z.string()",
  token: "z.string()",
  boolean: "z.boolean()",
  integer: "z.int()",
  decimal: "z.number()",
  double: "z.number()",
  date: "z.iso.date()",
  dateTime: "z.iso.datetime({ offset: true, local: true })",
  time: "z.string()",
  base64: "z.base64()",
  hex: "z.hex()",
};

function simpleText({ item, members, primitive, facets }: XsdSimple): string {
  // Lists in one text, and unions, are for the service to take apart.
  if (item !== undefined || (members !== undefined && members.length > 0)) return "z.string()";
  const { values } = facets;
  const isText = primitive === "string" || primitive === "token";
  if (values !== undefined && values.length > 0 && isText) {
    return `z.enum([${values.map((one) => JSON.stringify(one)).join(", ")}])`;
  }
  return bases[primitive] + facetText(facets, primitive);
}

function facetText(
  { minimum, maximum, minLength, maxLength }: XsdFacets,
  primitive: XsdPrimitive,
): string {
  const isText = primitive === "string" || primitive === "token";
  const [low, high] = isText ? [minLength, maxLength] : [minimum, maximum];
  const takes = isText || primitive === "integer" || primitive === "decimal" ||
    primitive === "double";
  if (!takes) return "";
  return (low === undefined ? "" : `.min(${low})`) + (high === undefined ? "" : `.max(${high})`);
}

function keyText(key: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(key) ? key : JSON.stringify(key);
}

import { attributeKey, fieldsOf, textKey } from "../../../soap/xsd/fields.ts";
import type { XsdFacets, XsdPrimitive, XsdSimple, XsdType } from "../../../soap/xsd/model.ts";

/** The least that is valid for a type, for a test to begin with. */
export function sampleOf(type: XsdType, depth = 0): unknown {
  switch (type.kind) {
    case "anything":
      return "";
    case "simple":
      return simpleSample(type);
    case "complex": {
      const { scalar, fields } = fieldsOf(type);
      if (scalar !== undefined) return simpleSample(scalar);
      const sample: Record<string, unknown> = {};
      for (const attribute of type.content.attributes) {
        if (attribute.isRequired) sample[attributeKey(attribute)] = simpleSample(attribute.type);
      }
      if (type.content.text !== undefined) sample[textKey] = simpleSample(type.content.text);
      for (const { key, element, isList, isRequired } of fields.values()) {
        if (isList) sample[key] = [];
        // A type that needs itself has no valid value at all.
        else if (isRequired) sample[key] = depth > 20 ? null : sampleOf(element.type, depth + 1);
      }
      return sample;
    }
  }
}

const samples: Readonly<Record<XsdPrimitive, unknown>> = {
  string: "text",
  token: "text",
  boolean: true,
  integer: 1,
  decimal: 1,
  double: 1,
  date: "2026-01-31",
  dateTime: "2026-01-31T12:00:00Z",
  time: "12:00:00",
  base64: "AQID",
  hex: "010203",
};

function simpleSample({ item, members, primitive, facets }: XsdSimple): unknown {
  if (item !== undefined || (members !== undefined && members.length > 0)) return "1";
  if (facets.values !== undefined && typeof samples[primitive] === "string") {
    return facets.values[0] ?? "text";
  }
  return typeof samples[primitive] === "number" ? inBounds(facets) : lengthened(primitive, facets);
}

function inBounds({ minimum = -Infinity, maximum = Infinity }: XsdFacets): number {
  return Math.min(Math.max(1, minimum), maximum);
}

function lengthened(primitive: XsdPrimitive, { minLength = 0, maxLength = Infinity }: XsdFacets) {
  const text = samples[primitive];
  return primitive === "string" || primitive === "token"
    ? "text".padEnd(minLength, "x").slice(0, maxLength)
    : text;
}

import { fieldsOf } from "../xsd/fields.ts";
import type { XsdParticle, XsdType } from "../xsd/model.ts";
import type { WsdlMessage, WsdlOperation } from "./model.ts";

/**
 * Looks at every type that an operation's messages use, so that what a WSDL lacks is said when it
 * is read, and not by the first call. Throws SOAP_WSDL_INVALID.
 */
export function touchTypes({ input, output, faults }: WsdlOperation): void {
  const seen = new Set<XsdType>();
  const open: XsdType[] = [
    ...typesOf(input),
    ...output === undefined ? [] : typesOf(output),
    ...faults.map(({ type }) => type),
  ];
  for (let type = open.pop(); type !== undefined; type = open.pop()) {
    if (type.kind !== "complex" || seen.has(type)) continue;
    seen.add(type);
    fieldsOf(type);
    for (const particle of type.content.particles) collect(particle, open);
  }
}

function typesOf(message: WsdlMessage): readonly XsdType[] {
  if (message.style === "rpc") return message.parts.map(({ type }) => type);
  return message.element === undefined ? [] : [message.element.type];
}

function collect(particle: XsdParticle, open: XsdType[]): void {
  if (particle.kind === "element") open.push(particle.type);
  else if (particle.kind !== "wildcard") {
    for (const one of particle.particles) collect(one, open);
  }
}

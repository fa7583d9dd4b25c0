import type { WsdlMessage, WsdlOperation } from "../../../soap/wsdl/model.ts";
import type { XsdParticle, XsdType } from "../../../soap/xsd/model.ts";
import type { SchemaTextOptions } from "./schema-text.ts";

/**
 * Which namespaces the fields have to say: none where all elements are in the one that they would
 * have anyway, which is the channel's in document style and none in rpc; else all of them.
 */
export function namespacesOf(
  operations: readonly WsdlOperation[],
  namespace: string,
): SchemaTextOptions {
  const expected = operations.some(({ style }) => style === "rpc") ? "" : namespace;
  const found = new Set<string>();
  const seen = new Set<XsdType>();
  const look = (type: XsdType): void => {
    if (type.kind !== "complex" || seen.has(type)) return;
    seen.add(type);
    for (const particle of type.content.particles) visit(particle);
  };
  const visit = (particle: XsdParticle): void => {
    if (particle.kind === "element") {
      found.add(particle.namespace);
      look(particle.type);
    } else if (particle.kind !== "wildcard") { for (const one of particle.particles) visit(one); }
  };
  for (const { input, output } of operations) {
    for (const message of [input, output]) {
      if (message !== undefined) { for (const type of typesOf(message)) look(type); }
    }
  }
  const saysNamespaces = [...found].some((one) => one !== expected);
  return { namespace: expected, saysNamespaces };
}

function typesOf(message: WsdlMessage): readonly XsdType[] {
  if (message.style === "rpc") return message.parts.map(({ type }) => type);
  return message.element === undefined ? [] : [message.element.type];
}

import { xsdNamespace } from "../../xml/namespaces.ts";
import type { Cursor } from "./cursor.ts";
import type { XsdGroup, XsdOccurs, XsdParticle } from "./model.ts";
import type { ParticleContext } from "./schemas.ts";

/** Reads a `sequence`, `choice`, `all`, `group`, `element` or `any`. */
export function readParticle(at: Cursor, context: ParticleContext): XsdParticle {
  return context.set.nested(at, () => {
    switch (at.name) {
      case "element":
        return readElement(at, context);
      case "any":
        return { kind: "wildcard", ...occursOf(at) };
      case "group":
        return readGroupReference(at, context);
      default:
        return readGroup(at, context);
    }
  });
}

const names = new Set(["element", "any", "group", "sequence", "choice", "all"]);

function readGroup(at: Cursor, context: ParticleContext): XsdGroup {
  const kind = at.name === "choice" || at.name === "all" ? at.name : "sequence";
  const particles = at.children(xsdNamespace).filter(({ name }) => names.has(name))
    .map((one) => readParticle(one, context));
  return { kind, ...occursOf(at), particles };
}

function readGroupReference(at: Cursor, { set }: ParticleContext): XsdGroup {
  const ref = at.reference("ref");
  if (ref === undefined) throw at.error("it has no ref");
  const group = set.declaration("group", ref, at);
  const [model] = group.at.children(xsdNamespace).filter(({ name }) => names.has(name));
  if (model === undefined) throw group.at.error("it has no sequence, choice or all");
  const inner = readParticle(model, { set, schema: group.schema });
  return { kind: "sequence", ...occursOf(at), particles: [inner] };
}

function readElement(at: Cursor, { schema, set }: ParticleContext): XsdParticle {
  const occurs = occursOf(at);
  const ref = at.reference("ref");
  if (ref === undefined) {
    const form = at.attribute("form") ?? schema.root.attribute("elementFormDefault");
    const namespace = form === "qualified" ? schema.targetNamespace : "";
    const name = { namespace, name: at.required("name") };
    return set.readElement(at, { schema, name, ...occurs });
  }
  const others = set.substitutesOf(ref, at);
  if (others.length === 0) return set.element(ref, at, occurs);
  const own = set.isAbstractElement(ref, at) ? [] : [set.element(ref, at)];
  return { kind: "choice", ...occurs, particles: [...own, ...others] };
}

function occursOf(at: Cursor): XsdOccurs {
  const max = at.attribute("maxOccurs") ?? "1";
  const occurs = {
    min: Number(at.attribute("minOccurs") ?? "1"),
    max: max === "unbounded" ? Infinity : Number(max),
  };
  const isRight = Number.isInteger(occurs.min) && occurs.min >= 0 && occurs.max >= 0;
  if (!isRight) throw at.error("minOccurs or maxOccurs is no number");
  return occurs;
}

import { isPlatformError } from "../../errors/platform-error.ts";
import { soap11, soap12, type SoapVersion } from "../version.ts";
import type { Cursor } from "../xsd/cursor.ts";
import { keyOf, type QName } from "../xsd/names.ts";
import { SchemaSet } from "../xsd/schema-set.ts";
import { TypeFamily } from "../xsd/type-family.ts";
import { openDocuments, wsdlNamespace } from "./documents.ts";
import { isUnsupported, MessageReader } from "./message-reader.ts";
import type { SoapStyle, Wsdl, WsdlOperation, WsdlPort } from "./model.ts";
import { touchTypes } from "./touch-types.ts";

/** Namespaces of what bindings say about SOAP. */
export const bindingNamespaces: ReadonlyMap<string, SoapVersion> = new Map([
  ["http://schemas.xmlsoap.org/wsdl/soap/", soap11],
  ["http://schemas.xmlsoap.org/wsdl/soap12/", soap12],
]);

/**
 * Reads a WSDL 1.1 that holds everything it needs: document/literal and rpc/literal over SOAP 1.1
 * and 1.2. Every type that a message uses is looked at. Throws XML_*, and SOAP_WSDL_INVALID with
 * the place.
 */
export function readWsdl(text: string): Wsdl {
  return new WsdlReader(text).read();
}

type Table = "message" | "portType" | "binding";

class WsdlReader {
  readonly #roots: readonly Cursor[];
  readonly #tables = new Map<string, Cursor>();
  readonly #schemas: SchemaSet;
  readonly #messages: MessageReader;

  constructor(text: string) {
    const { definitions, schemas, missing } = openDocuments(text);
    this.#roots = definitions;
    this.#schemas = new SchemaSet(schemas, missing);
    this.#messages = new MessageReader(
      this.#schemas,
      (name, at) => this.#find("message", name, at),
    );
    for (const root of definitions) {
      const namespace = root.attribute("targetNamespace") ?? "";
      for (const at of root.children(wsdlNamespace)) {
        if (at.name !== "message" && at.name !== "portType" && at.name !== "binding") continue;
        const name = { namespace, name: at.required("name") };
        this.#tables.set(`${at.name} ${keyOf(name)}`, at);
      }
    }
  }

  read(): Wsdl {
    const [root] = this.#roots;
    const ports = this.#roots.flatMap((one) => one.children(wsdlNamespace, "service"))
      .flatMap((service) =>
        service.children(wsdlNamespace, "port").flatMap((port) =>
          this.#port(service.required("name"), port) ?? []
        )
      );
    if (ports.length === 0) throw root!.error("it has no port that speaks SOAP over HTTP"); // never none
    return {
      targetNamespace: root!.attribute("targetNamespace") ?? "",
      ports,
      types: new TypeFamily(this.#schemas),
    };
  }

  /** Undefined for ports of other protocols. */
  #port(service: string, at: Cursor): WsdlPort | undefined {
    const name = at.required("name");
    const binding = this.#find("binding", referenceOf(at, "binding"), at);
    for (const [namespace, version] of bindingNamespaces) {
      const soap = binding.child(namespace, "binding");
      if (soap === undefined) continue;
      const address = at.child(namespace, "address")?.attribute("location") ?? "";
      const portType = this.#find("portType", referenceOf(binding, "type"), binding);
      const style = styleOf(soap, "document");
      const operations = new Map<string, WsdlOperation>();
      const unusable = new Map<string, string>();
      for (const one of binding.children(wsdlNamespace, "operation")) {
        const operation = one.required("name");
        try {
          operations.set(operation, this.#operation(one, { portType, namespace, style }));
        } catch (error) {
          if (!isPlatformError(error) || !isUnsupported(error)) throw error;
          unusable.set(operation, error.message);
        }
      }
      return { service, name, address, version, operations, unusable };
    }
    return undefined;
  }

  #operation(
    at: Cursor,
    { portType, namespace, style: inherited }: {
      readonly portType: Cursor;
      readonly namespace: string;
      readonly style: SoapStyle;
    },
  ): WsdlOperation {
    const name = at.required("name");
    const own = portType.children(wsdlNamespace, "operation")
      .filter((one) => one.attribute("name") === name);
    const operation = own.find((one) => sameMessages(one, at)) ?? own[0];
    if (operation === undefined) throw at.error("the portType has no operation of this name");
    const soap = at.child(namespace, "operation");
    const style = soap === undefined ? inherited : styleOf(soap, inherited);
    const input = operation.child(wsdlNamespace, "input");
    if (input === undefined) throw operation.error("it has no input");
    const output = operation.child(wsdlNamespace, "output");
    const read = (direction: "input" | "output", message: Cursor) =>
      this.#messages.read(message, {
        binding: at.child(wsdlNamespace, direction),
        soapNamespace: namespace,
        style,
        wrapper: direction === "input" ? name : `${name}Response`,
      });
    const made: WsdlOperation = {
      name,
      action: soap?.attribute("soapAction") ?? "",
      style,
      description: textOrNothing(operation.child(wsdlNamespace, "documentation")?.text()),
      input: read("input", input),
      output: output === undefined ? undefined : read("output", output),
      faults: operation.children(wsdlNamespace, "fault")
        .flatMap((one) => this.#messages.faultElements(one)),
    };
    touchTypes(made);
    return made;
  }

  #find(table: Table, name: QName, at: Cursor): Cursor {
    const found = this.#tables.get(`${table} ${keyOf(name)}`);
    if (found === undefined) throw at.error(`there is no ${table} ${keyOf(name)}`);
    return found;
  }
}

function referenceOf(at: Cursor, attribute: string): QName {
  at.required(attribute);
  return at.reference(attribute)!; // just seen
}

function styleOf(at: Cursor, inherited: SoapStyle): SoapStyle {
  const style = at.attribute("style") ?? inherited;
  if (style === "document" || style === "rpc") return style;
  throw at.error(`its style is "${style}"`);
}

/** Overloaded operations are told apart by the names of their messages. */
function sameMessages(a: Cursor, b: Cursor): boolean {
  const nameOf = (at: Cursor) => at.child(wsdlNamespace, "input")?.attribute("name");
  return nameOf(a) === nameOf(b);
}

function textOrNothing(text: string | undefined): string | undefined {
  return text === "" ? undefined : text?.replace(/\s+/g, " ").slice(0, 1_000);
}

import { xmlDeclaration } from "../../xml/render.ts";
import { xsdNamespace } from "../../xml/namespaces.ts";
import { markup, markupText } from "./markup.ts";
import type { SoapOperation, SoapStyle } from "./operation.ts";
import { problemValue } from "./problem-schema.ts";
import type { SoapVersion } from "../../soap/version.ts";
import { pascalCase, XsdTypes } from "./xsd.ts";

/** What a WSDL says. */
export interface WsdlOptions {
  /** The channel's name. */
  readonly name: string;
  readonly description: string | undefined;
  readonly namespace: string;
  readonly style: SoapStyle;
  readonly versions: readonly SoapVersion[];
  readonly operations: readonly SoapOperation[];
  /** Where clients reach the channel. */
  readonly address: string;
}

const wsdlNamespace = "http://schemas.xmlsoap.org/wsdl/";
const httpTransport = "http://schemas.xmlsoap.org/soap/http";
/** Namespaces of the bindings, by version. */
const bindings = {
  "1.1": { prefix: "soap", namespace: "http://schemas.xmlsoap.org/wsdl/soap/" },
  "1.2": { prefix: "soap12", namespace: "http://schemas.xmlsoap.org/wsdl/soap12/" },
} as const;

/** The element in the detail of faults. */
const faultName = "Problem";

/** Writes a WSDL 1.1 for all operations of a channel, with one port for each version of SOAP. */
export function renderWsdl(options: WsdlOptions): string {
  const { namespace, versions, operations, description } = options;
  const name = serviceName(options.name);
  const types = new XsdTypes();
  const messages = operations.flatMap((one) => messagesOf(one, types, options));
  return xmlDeclaration + markup(
    "wsdl:definitions",
    {
      name,
      targetNamespace: namespace,
      "xmlns:wsdl": wsdlNamespace,
      "xmlns:xs": xsdNamespace,
      "xmlns:tns": namespace,
      ...Object.fromEntries(
        versions.map((one) => [`xmlns:${bindings[one.name].prefix}`, bindings[one.name].namespace]),
      ),
    },
    markupText("wsdl:documentation", description),
    schemaOf(options, types),
    ...messages,
    message(faultName, markup("wsdl:part", { name: "fault", element: `tns:${faultName}` })),
    markup("wsdl:portType", { name: `${name}PortType` }, ...operations.map(portOperation)),
    ...versions.map((version) => binding(name, version, options)),
    markup("wsdl:service", { name }, ...versions.map((version) => port(name, version, options))),
  );
}

function serviceName(channel: string): string {
  const name = pascalCase(channel);
  return /^\p{L}/u.test(name) ? name : `Service${name}`;
}

function schemaOf({ namespace, style, operations }: WsdlOptions, types: XsdTypes): string {
  const { shape } = problemValue;
  const problem = shape.type === "object" ? types.message(faultName, shape) : "";
  const elements = style === "rpc" ? [] : operations.flatMap(({ name, answer, input, output }) => [
    types.message(name, input),
    types.message(answer, output),
  ]);
  // In rpc, only the element around the parts of a message has the namespace.
  const elementFormDefault = style === "rpc" ? "unqualified" : "qualified";
  return markup(
    "wsdl:types",
    {},
    markup(
      "xs:schema",
      { targetNamespace: namespace, elementFormDefault },
      types.types,
      ...elements,
      problem,
    ),
  );
}

function messagesOf(
  { name, answer, input, output }: SoapOperation,
  types: XsdTypes,
  { style }: WsdlOptions,
): readonly string[] {
  return [[name, input] as const, [answer, output] as const].map(([one, shape]) => {
    if (style === "document") {
      return message(one, markup("wsdl:part", { name: "parameters", element: `tns:${one}` }));
    }
    const parts = shape.fields.map((field) => {
      const type = types.partType(field, one + pascalCase(field.name));
      return markup("wsdl:part", { name: field.name, type });
    });
    return message(one, ...parts);
  });
}

function message(name: string, ...parts: readonly string[]): string {
  return markup("wsdl:message", { name }, ...parts);
}

function portOperation({ name, answer, runnable }: SoapOperation): string {
  return markup(
    "wsdl:operation",
    { name },
    markupText("wsdl:documentation", runnable.service.description),
    markup("wsdl:input", { message: `tns:${name}` }),
    markup("wsdl:output", { message: `tns:${answer}` }),
    markup("wsdl:fault", { name: faultName, message: `tns:${faultName}` }),
  );
}

function binding(service: string, version: SoapVersion, options: WsdlOptions): string {
  const { style, namespace, operations } = options;
  const { prefix } = bindings[version.name];
  const body = markup(`${prefix}:body`, {
    use: "literal",
    namespace: style === "rpc" ? namespace : undefined,
  });
  const all = operations.map(({ name, action }) =>
    markup(
      "wsdl:operation",
      { name },
      markup(`${prefix}:operation`, { soapAction: action, style }),
      markup("wsdl:input", {}, body),
      markup("wsdl:output", {}, body),
      markup(
        "wsdl:fault",
        { name: faultName },
        markup(`${prefix}:fault`, { name: faultName, use: "literal" }),
      ),
    )
  );
  return markup(
    "wsdl:binding",
    { name: bindingName(service, version), type: `tns:${service}PortType` },
    markup(`${prefix}:binding`, { style, transport: httpTransport }),
    ...all,
  );
}

function bindingName(service: string, { name }: SoapVersion): string {
  return `${service}Soap${name.replace(".", "")}`;
}

function port(service: string, version: SoapVersion, { address }: WsdlOptions): string {
  const name = bindingName(service, version);
  const location = markup(`${bindings[version.name].prefix}:address`, { location: address });
  return markup("wsdl:port", { name, binding: `tns:${name}` }, location);
}

import { PlatformError } from "../../../errors/platform-error.ts";
import { choosePort } from "../../../soap/wsdl/choose-port.ts";
import type { Wsdl, WsdlMessage, WsdlOperation, WsdlPort } from "../../../soap/wsdl/model.ts";
import type { XsdType } from "../../../soap/xsd/model.ts";
import type { NewFile } from "../new-files.ts";
import { schemaComment } from "../service-template.ts";
import { sampleOf } from "./sample.ts";
import { SchemaText } from "./schema-text.ts";
import { namespacesOf } from "./namespaces.ts";

export interface WsdlPlan {
  readonly wsdl: Wsdl;
  /** What the services' names begin with; default: the WSDL service's name. */
  readonly name: string | undefined;
  /** The channel's path; default: `/soap/` and the name. */
  readonly path: string | undefined;
  /** Names of security definitions; empty: none. */
  readonly security: readonly string[];
}

export interface WsdlFiles {
  readonly files: readonly NewFile[];
  /** Operations that one channel cannot offer, and why. */
  readonly leftOut: readonly string[];
}

/** One operation as it will be offered. */
interface Stub {
  readonly operation: WsdlOperation;
  /** The element in the request's body. */
  readonly element: string;
  readonly answer: string;
  readonly service: string;
  /** Name of the constant. */
  readonly exported: string;
}

/**
 * The files that offer what a WSDL says: a service for every operation, a test of each, and the
 * channel. Clients made from the WSDL can call it. Throws SOAP_WSDL_INVALID when there is nothing
 * to offer.
 */
export function wsdlFiles({ wsdl, name, path, security }: WsdlPlan): WsdlFiles {
  const port = choosePort(wsdl, {});
  const base = name ?? kebabCase(port.service).replace(/-service$/, "");
  const { namespace, style, stubs, leftOut } = collect(port, base);
  if (stubs.length === 0) {
    const reason = `there is no operation that can be offered (${leftOut.join("; ")})`;
    throw new PlatformError("SOAP_WSDL_INVALID", { where: "definitions", reason });
  }
  const versions = new Set(
    wsdl.ports.filter((one) => one.service === port.service).map((one) => one.version.name),
  );
  const file = base.replaceAll(/[._]+/g, "-");
  const channel = {
    kind: "SoapChannel",
    name: base,
    path: path ?? `/soap/${file}`,
    operations: Object.fromEntries(stubs.map((one) => [one.element, one.service])),
    ...style === "document" ? {} : { style },
    ...versions.size === 1 ? { version: [...versions][0] } : {},
    namespace,
    soapActions: Object.fromEntries(stubs.map((one) => [one.element, one.operation.action])),
    ...answersOf(stubs),
    security,
  };
  return {
    leftOut,
    files: [
      { path: `services/${file}.ts`, text: servicesText(stubs, namespace) },
      { path: `services/${file}.test.ts`, text: testsText(stubs, file) },
      { path: `objects/${file}.yaml`, text: schemaComment + channelText(channel) },
    ],
  };
}

function collect(port: WsdlPort, base: string) {
  const leftOut = [...port.unusable.values()];
  const stubs: Stub[] = [];
  let namespace: string | undefined;
  let style: "document" | "rpc" | undefined;
  for (const operation of port.operations.values()) {
    const { name, input, output } = operation;
    const element = elementOf(input);
    const reason = element === undefined
      ? "its request has no element"
      : style !== undefined && style !== operation.style
      ? "its style is another one than that of the operations before it"
      : namespace !== undefined && element.namespace !== namespace
      ? `its element is in the namespace "${element.namespace}", the others are in "${namespace}"`
      : stubs.some((stub) => stub.element === element.name)
      ? `its element ${element.name} is that of another operation`
      : undefined;
    if (reason !== undefined || element === undefined) {
      leftOut.push(`${name}: ${reason}`);
      continue;
    }
    namespace ??= element.namespace;
    style ??= operation.style;
    stubs.push({
      operation,
      element: element.name,
      answer: (output && elementOf(output)?.name) ?? `${element.name}Response`,
      service: `${base}.${kebabCase(name)}`,
      exported: identifier(name),
    });
  }
  return { namespace: namespace ?? "", style: style ?? "document", stubs, leftOut };
}

function elementOf(message: WsdlMessage) {
  return message.style === "rpc" ? message.wrapper : message.element;
}

function answersOf(stubs: readonly Stub[]) {
  const others = stubs.filter(({ element, answer }) => answer !== `${element}Response`);
  if (others.length === 0) return {};
  return { answers: Object.fromEntries(others.map(({ element, answer }) => [element, answer])) };
}

function servicesText(stubs: readonly Stub[], namespace: string): string {
  const text = new SchemaText(namespacesOf(stubs.map(({ operation }) => operation), namespace));
  const services = stubs.map(({ operation, service, exported }) => {
    const input = messageText(operation.input, text);
    const output = operation.output === undefined
      ? "z.object({})"
      : messageText(operation.output, text);
    const about = operation.description ?? `The operation ${operation.name}`;
    return `export const ${exported} = defineService({
  name: ${JSON.stringify(service)},
  description: ${JSON.stringify(about)},
  input: ${input},
  output: ${output},
  handle: () => {
    throw new ServiceError(501, ${JSON.stringify(`${operation.name} is still to be written`)});
  },
});
`;
  });
  const types = text.declarations;
  return `import { defineService, ServiceError, z } from "dragoman";\n\n` +
    indented(`${types === "" ? "" : `${types}\n`}${services.join("\n")}`);
}

/** Two spaces for each brace that is open at the end of a line. */
function indented(text: string): string {
  let depth = 0;
  return text.split("\n").map((line) => {
    const plain = line.trim();
    if (plain.startsWith("}")) depth--;
    const indentation = plain === "" ? "" : "  ".repeat(Math.max(0, depth));
    if (plain.endsWith("{")) depth++;
    return indentation + plain;
  }).join("\n");
}

function messageText(message: WsdlMessage, text: SchemaText): string {
  if (message.style === "rpc") return text.parts(message.parts);
  return message.element === undefined ? "z.object({})" : text.message(message.element.type);
}

function testsText(stubs: readonly Stub[], file: string): string {
  const names = stubs.map(({ exported }) => exported);
  const tests = stubs.map(({ operation, exported }) => `
  it("${operation.name} is still to be written", async () => {
    const input = ${JSON.stringify(sampleInput(operation.input))};

    await assert.rejects(kit.run(${exported}, input), { status: 501 });
  });
`);
  return `import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createTestKit } from "dragoman/testing";
import { ${names.join(", ")} } from "./${file}.ts";

describe("${file}", () => {
  const kit = createTestKit({ services: [${names.join(", ")}] });
${tests.join("")}});
`;
}

function sampleInput(message: WsdlMessage): unknown {
  if (message.style === "document") {
    return message.element === undefined ? {} : sampleOf(message.element.type);
  }
  const sample = (type: XsdType) => sampleOf(type);
  return Object.fromEntries(message.parts.map(({ name, type }) => [name, sample(type)]));
}

interface ChannelPlan extends Readonly<Record<string, unknown>> {
  readonly name: string;
  readonly security: readonly string[];
}

function channelText({ kind, name, security, ...spec }: ChannelPlan): string {
  const lines = Object.entries(spec).map(([key, value]) => `  ${key}: ${JSON.stringify(value)}`);
  const guard = security.length === 0 ? "none" : JSON.stringify(security);
  return `apiVersion: dragoman/v1\nkind: ${kind}\nname: ${JSON.stringify(name)}\nspec:\n` +
    `${lines.join("\n")}\n  security: ${guard}\n`;
}

/** `GetHTTPStatus` as `get-http-status`. */
function kebabCase(text: string): string {
  return text.replace(/([a-z0-9])([A-Z])/g, "$1-$2").replace(/([A-Z])([A-Z][a-z])/g, "$1-$2")
    .toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "");
}

/** A name that a constant can have. */
function identifier(name: string): string {
  const plain = name.replace(/[^A-Za-z0-9]+(.)?/g, (_, next = "") => next.toUpperCase());
  const lower = plain.charAt(0).toLowerCase() + plain.slice(1);
  // Words of the language, and what the file imports.
  return /^\d/.test(lower) || reserved.test(lower)
    ? `${lower}Service`.replace(/^\d/, "_$&")
    : lower;
}

const reserved =
  /^(await|break|case|catch|class|const|continue|debugger|default|delete|do|else|enum|export|extends|false|finally|for|function|if|import|in|instanceof|interface|let|new|null|package|private|protected|public|return|static|super|switch|this|throw|true|try|typeof|var|void|while|with|yield|arguments|eval|z|describe|it|assert|kit|defineService)$/;

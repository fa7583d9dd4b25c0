import { PlatformError } from "../../errors/platform-error.ts";
import type { Cursor } from "../xsd/cursor.ts";
import type { XsdElement } from "../xsd/model.ts";
import type { QName } from "../xsd/names.ts";
import type { SchemaSet } from "../xsd/schema-set.ts";
import { wsdlNamespace } from "./documents.ts";
import type { SoapStyle, WsdlMessage } from "./model.ts";

export interface MessageContext {
  /** The `input` or `output` of the binding. */
  readonly binding: Cursor | undefined;
  readonly soapNamespace: string;
  readonly style: SoapStyle;
  /** Of the element around the parts of an rpc message. */
  readonly wrapper: string;
}

/** Reads what is in the bodies of an operation. */
export class MessageReader {
  readonly #schemas: SchemaSet;
  readonly #find: (name: QName, at: Cursor) => Cursor;

  constructor(schemas: SchemaSet, find: (name: QName, at: Cursor) => Cursor) {
    this.#schemas = schemas;
    this.#find = find;
  }

  /** `at`: the `input` or `output` of the portType. */
  read(at: Cursor, { binding, soapNamespace, style, wrapper }: MessageContext): WsdlMessage {
    const body = binding?.child(soapNamespace, "body") ?? multipartBody(binding, soapNamespace);
    if (body?.attribute("use") === "encoded") {
      throw unsupported(at, "its messages are encoded (SOAP section 5); only literal is supported");
    }
    const parts = this.#bodyParts(at, body, binding, soapNamespace);
    if (style === "rpc") {
      const namespace = body?.attribute("namespace") ?? "";
      return {
        style,
        wrapper: { namespace, name: wrapper },
        parts: parts.map((part) => this.#typedPart(part)),
      };
    }
    const [part, another] = parts;
    if (another !== undefined) {
      throw unsupported(
        at,
        "its body has more than one part, which document style cannot tell apart",
      );
    }
    return { style, element: part === undefined ? undefined : this.#elementPart(part) };
  }

  /** The elements of the message that a `fault` of a portType names. */
  faultElements(at: Cursor): readonly XsdElement[] {
    return this.#message(at).children(wsdlNamespace, "part").flatMap((part) => {
      const name = part.reference("element");
      return name === undefined ? [] : [this.#schemas.element(name, part)];
    });
  }

  #message(at: Cursor): Cursor {
    at.required("message");
    return this.#find(at.reference("message")!, at); // just seen
  }

  #bodyParts(
    at: Cursor,
    body: Cursor | undefined,
    binding: Cursor | undefined,
    soapNamespace: string,
  ): readonly Cursor[] {
    const all = this.#message(at).children(wsdlNamespace, "part");
    const named = body?.attribute("parts");
    if (named !== undefined) {
      const names = named.split(/\s+/);
      return all.filter((part) => names.includes(part.attribute("name") ?? ""));
    }
    const message = at.reference("message");
    const headers = binding?.children(soapNamespace, "header") ?? [];
    const inHeader = headers.filter((one) => one.reference("message")?.name === message?.name)
      .map((one) => one.attribute("part"));
    return all.filter((part) => !inHeader.includes(part.attribute("name")));
  }

  #typedPart(part: Cursor): XsdElement {
    const name = part.required("name");
    const type = part.reference("type");
    if (type === undefined) {
      throw unsupported(part, "in rpc style, a part has a type and not an element");
    }
    return {
      kind: "element",
      name,
      namespace: "",
      min: 1,
      max: 1,
      isNillable: false,
      fixed: undefined,
      description: undefined,
      type: this.#schemas.type(type, part),
    };
  }

  #elementPart(part: Cursor): XsdElement {
    const name = part.reference("element");
    if (name === undefined) {
      throw unsupported(part, "in document style, a part has an element and not a type");
    }
    return this.#schemas.element(name, part);
  }
}

const mimeNamespace = "http://schemas.xmlsoap.org/wsdl/mime/";

function multipartBody(binding: Cursor | undefined, soapNamespace: string): Cursor | undefined {
  return binding?.child(mimeNamespace, "multipartRelated")?.children(mimeNamespace, "part")
    .map((part) => part.child(soapNamespace, "body")).find((body) => body !== undefined);
}

/** An error that makes one operation unusable, and not the others. */
function unsupported(at: Cursor, reason: string): PlatformError {
  const params = { where: at.place, reason };
  return new PlatformError("SOAP_WSDL_INVALID", params, { details: { isUnsupported: true } });
}

/** True for what makes one operation unusable, and not the others. */
export function isUnsupported({ details }: PlatformError): boolean {
  return typeof details === "object" && details !== null && "isUnsupported" in details;
}

import type { SoapVersion } from "../version.ts";
import type { XsdElement } from "../xsd/model.ts";
import type { QName } from "../xsd/names.ts";
import type { TypeFamily } from "../xsd/type-family.ts";

export type SoapStyle = "document" | "rpc";

/** What a WSDL says, as far as it can be spoken: its ports over SOAP and HTTP. */
export interface Wsdl {
  readonly targetNamespace: string;
  readonly ports: readonly WsdlPort[];
  readonly types: TypeFamily;
}

export interface WsdlPort {
  readonly service: string;
  readonly name: string;
  /** Empty when it says none. */
  readonly address: string;
  readonly version: SoapVersion;
  readonly operations: ReadonlyMap<string, WsdlOperation>;
  /** Operations that cannot be called, and why. */
  readonly unusable: ReadonlyMap<string, string>;
}

export interface WsdlOperation {
  readonly name: string;
  readonly action: string;
  readonly style: SoapStyle;
  readonly description: string | undefined;
  readonly input: WsdlMessage;
  /** Undefined for an operation that is not answered. */
  readonly output: WsdlMessage | undefined;
  /** Elements that may be in the detail of faults. */
  readonly faults: readonly XsdElement[];
}

/** What is in a body: one element, or in rpc an element around parts. */
export type WsdlMessage =
  | { readonly style: "document"; readonly element: XsdElement | undefined }
  | { readonly style: "rpc"; readonly wrapper: QName; readonly parts: readonly XsdElement[] };

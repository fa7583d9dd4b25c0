import { soap11Namespace, soap12Namespace } from "../xml/namespaces.ts";

/** What the two versions of SOAP do differently on the wire. */
export interface SoapVersion {
  readonly name: "1.1" | "1.2";
  /** Of envelopes. */
  readonly namespace: string;
  readonly contentType: string;
}

export const soap11: SoapVersion = {
  name: "1.1",
  namespace: soap11Namespace,
  contentType: "text/xml; charset=utf-8",
};

export const soap12: SoapVersion = {
  name: "1.2",
  namespace: soap12Namespace,
  contentType: "application/soap+xml; charset=utf-8",
};

/** The versions that a channel takes. */
export function versionsOf(version: "1.1" | "1.2" | "both"): readonly SoapVersion[] {
  return [soap11, soap12].filter(({ name }) => version === "both" || version === name);
}

/** Namespace of `xmlns` attributes. */
export const xmlnsNamespace = "http://www.w3.org/2000/xmlns/";
/** Namespace of `xml:lang` and its like; its prefix is always bound. */
export const xmlNamespace = "http://www.w3.org/XML/1998/namespace";
/** XML Schema. */
export const xsdNamespace = "http://www.w3.org/2001/XMLSchema";
/** `xsi:nil`, `xsi:type`. */
export const xsiNamespace = "http://www.w3.org/2001/XMLSchema-instance";
/** Envelopes of SOAP 1.1. */
export const soap11Namespace = "http://schemas.xmlsoap.org/soap/envelope/";
/** Envelopes of SOAP 1.2. */
export const soap12Namespace = "http://www.w3.org/2003/05/soap-envelope";

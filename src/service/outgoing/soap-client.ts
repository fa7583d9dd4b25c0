/**
 * Calls to one SoapOutgoing. A fault rejects with SOAP_FAULT (`details`: code, reason, detail); no
 * answer rejects as a RestClient does.
 */
export interface SoapClient {
  /** Operations are those of the WSDL; input and answer are the body's elements as plain JSON. */
  call<T = unknown>(
    operation: string,
    input?: unknown,
    options?: { readonly timeoutMs?: number },
  ): Promise<T>;
}

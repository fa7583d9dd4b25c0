import type { WorkerProcess } from "../data-plane/worker-process.ts";

const namespaces = {
  "1.1": "http://schemas.xmlsoap.org/soap/envelope/",
  "1.2": "http://www.w3.org/2003/05/soap-envelope",
} as const;

/** An envelope around a body, both as text. */
export function envelope(
  body: string,
  { version = "1.1", header = "" }: {
    readonly version?: keyof typeof namespaces;
    readonly header?: string;
  } = {},
): string {
  const head = header === "" ? "" : `<s:Header>${header}</s:Header>`;
  return `<s:Envelope xmlns:s="${
    namespaces[version]
  }">${head}<s:Body>${body}</s:Body></s:Envelope>`;
}

/** A call of the operation Sum. */
export const sumBody = '<Sum xmlns="urn:example:orders"><numbers>1</numbers><round>0</round></Sum>';

export interface SoapReply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Of a fault; undefined for an answer. */
  readonly fault: string | undefined;
}

/** Sends a message as it is. */
export async function post(
  worker: WorkerProcess,
  path: string,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Readonly<Record<string, string>> = {},
): Promise<SoapReply> {
  const response = await worker.fetch(path, {
    method: "POST",
    headers: { "Content-Type": "text/xml; charset=utf-8", ...headers },
    body,
  });
  const text = await response.text();
  const fault = /<(?:faultcode|soap:Value)>soap:(\w+)</.exec(text)?.[1];
  return { status: response.status, headers: response.headers, text, fault };
}

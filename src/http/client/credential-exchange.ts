import { Readable } from "node:stream";
import type { Credential } from "../../security/credentials/credential.ts";
import type { HttpReply, TlsSettings, WireRequest } from "./transport.ts";

/** Lets a credential that authenticates connections carry out the exchange. */
export async function sendByCredential(
  send: NonNullable<Credential["send"]>,
  wire: WireRequest,
  { ca, cert, key }: TlsSettings,
): Promise<HttpReply> {
  const { method, url, headers, body, signal } = wire;
  const request = new Request(url, {
    method,
    headers,
    redirect: "manual",
    // Nobody shares the memory of a request's body with another thread.
    ...(body === undefined ? {} : { body: body as BodyInit, duplex: "half" }),
  });
  const tls = {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
  const response = await send(request, { signal, tls });
  return {
    status: response.status,
    headers: response.headers,
    body: response.body === null
      ? Readable.from([])
      // The DOM's and node's types of one and the same stream differ.
      : Readable.fromWeb(response.body as Parameters<typeof Readable.fromWeb>[0]),
  };
}

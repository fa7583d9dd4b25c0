import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { type IServices, listen, type Server } from "soap";

export interface SoapPeer extends AsyncDisposable {
  readonly url: string;
  readonly server: Server;
  /** The requests that came, as they came. */
  readonly requests: { readonly headers: IncomingHttpHeaders; readonly body: string }[];
}

/** A server of the soap package, with nothing but the WSDL to go by. */
export async function startNodeSoap(wsdl: string, services: IServices): Promise<SoapPeer> {
  const requests: SoapPeer["requests"] = [];
  const http = createServer((_request, response) => void response.writeHead(404).end());
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/soap`; // it listens
  const server = await new Promise<Server>((resolve, reject) => {
    const made = listen(http, {
      path: "/soap",
      services,
      xml: wsdl,
      callback: (error: unknown) => error ? reject(error) : resolve(made),
    });
  });
  server.log = (type, data, request) => {
    if (type === "received") requests.push({ headers: request?.headers ?? {}, body: String(data) });
  };
  return {
    url,
    server,
    requests,
    async [Symbol.asyncDispose]() {
      http.closeAllConnections();
      http.close();
      await once(http, "close");
    },
  };
}

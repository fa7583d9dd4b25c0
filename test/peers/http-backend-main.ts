import { createHash, randomUUID } from "node:crypto";
import { appendFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

/** The process of `http-backend.ts`. Arguments: name, port, ledger file. */
const [name = "", port = "0", ledger = ""] = process.argv.slice(2);
let healthy = true;
let release = Promise.withResolvers<void>();

const server = createServer((request, response) => {
  // A request that breaks off concerns nobody else.
  answer(request, response).catch(() => response.destroy());
});
// Idle connections are the balancer's to close, as they are with the platform's own servers.
server.keepAliveTimeout = 0;
server.on("upgrade", (request, socket, head) => {
  const key = request.headers["sec-websocket-key"] ?? "";
  // RFC 6455, 4.2.2: proof that the server understood the handshake.
  const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`);
  const lines = [
    "HTTP/1.1 101 Switching Protocols",
    "Connection: Upgrade",
    "Upgrade: websocket",
    `Sec-WebSocket-Accept: ${accept.digest("base64")}`,
  ];
  socket.write(lines.join("\r\n") + "\r\n\r\n");
  if (head.length > 0) socket.write(head);
  socket.on("error", () => socket.destroy()).pipe(socket);
});
process.on("message", (message: { readonly healthy: boolean }) => healthy = message.healthy);
process.on("disconnect", () => process.exit(0));
server.listen(Number(port), "127.0.0.1", () => {
  const address = server.address();
  if (address !== null && typeof address === "object") process.send?.({ port: address.port });
});

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? "/", "http://backend");
  if (url.pathname === "/dragoman/readyz") {
    return void response.writeHead(healthy ? 200 : 503).end();
  }
  let bodyBytes = 0;
  for await (const chunk of request) bodyBytes += chunk.length;
  const id = request.headers["x-id"];
  if (typeof id === "string") appendFileSync(ledger, `${id}\n`);
  if (url.pathname === "/stream") return await stream(response);
  if (url.pathname === "/stream/release") release.resolve();
  if (url.pathname === "/cut") return void request.socket.destroy();
  const waitMs = Number(url.searchParams.get("ms") ?? 0);
  if (waitMs > 0) await sleep(waitMs);
  const { method, headers } = request;
  const body = JSON.stringify({ server: name, method, url: request.url, headers, bodyBytes });
  response.writeHead(200, {
    "content-type": "application/json",
    "content-length": body.length,
    "x-dragoman-cid": `cid-${randomUUID()}`,
  });
  response.end(body);
}

async function stream(response: ServerResponse): Promise<void> {
  response.writeHead(200, { "content-type": "text/plain" });
  response.write("first\n");
  await release.promise;
  release = Promise.withResolvers<void>();
  response.end("last\n");
}

import { createServer } from "node:net";

// Listens, tells its parent where, and never takes a connection: the kernel's queue fills, and then
// nobody answers those who want to connect.
const server = createServer();
server.listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
  const address = server.address();
  if (address !== null && typeof address === "object") process.send?.(address.port, block);
});

function block(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60_000);
  process.exit(1);
}

import { createServer } from "node:http";
import { argv } from "node:process";

// A server in a process of its own, to be killed. It prints its port, then a line for every request
// that it begins to execute, before it answers: what was printed was executed.
const [, , name = ""] = argv;

const server = createServer((request, response) => {
  if (request.url === "/dragoman/readyz") {
    response.end();
    return;
  }
  process.stdout.write(`${request.method} ${request.headers["x-request-id"]}\n`);
  request.resume();
  request.on("end", () => {
    // A little work, so that a kill finds requests in flight.
    setTimeout(() => {
      response.setHeader("X-Dragoman-Server", name);
      response.end("done");
    }, 3);
  });
});

server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (address !== null && typeof address === "object") {
    process.stdout.write(`PORT ${address.port}\n`);
  }
});

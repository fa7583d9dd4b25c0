// The other systems: two carriers on one port. /slow/... takes its time, /flaky/... fails twice
// in three calls.
import { createServer } from "node:http";

let calls = 0;

createServer((request, response) => {
  const url = new URL(request.url, "http://localhost");
  const weight = Number(url.searchParams.get("weight"));
  const answer = (status, body) => {
    response.writeHead(status, { "Content-Type": "application/json" });
    response.end(JSON.stringify(body));
  };
  if (url.pathname === "/slow/price") {
    setTimeout(() => answer(200, { cents: 900 + weight * 10 }), 50);
  } else if (url.pathname === "/flaky/price") {
    calls++;
    if (calls % 3 === 0) answer(200, { cents: 700 + weight * 20 });
    else answer(503, { error: "busy" });
  } else answer(404, { error: "unknown" });
}).listen(9201, "127.0.0.1", () => console.log("Carriers on 9201"));

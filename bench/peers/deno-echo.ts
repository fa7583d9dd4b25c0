// The least that the runtime can do for a JSON request: the measure for everything above it.
const port = Number(process.argv[2]);

Deno.serve({ hostname: "127.0.0.1", port, reusePort: true, onListen() {} }, async (request) => {
  const body: unknown = await request.json();
  return new Response(JSON.stringify(body), { headers: { "Content-Type": "application/json" } });
});

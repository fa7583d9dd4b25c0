import { fastify } from "fastify";

const app = fastify();
app.post("/echo", (request) => request.body);
await app.listen({ host: "127.0.0.1", port: Number(process.argv[2]) });

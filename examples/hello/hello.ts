import { defineService, z } from "dragoman";

/** Greets whoever calls: `curl 'http://127.0.0.1:11223/demo/hello?name=Ana'` */
export const hello = defineService({
  name: "demo.hello",
  description: "Greets whoever calls",
  input: z.object({ name: z.string().min(1).max(100).default("world") }),
  output: z.object({ hello: z.string() }),
  handle: ({ input }) => ({ hello: input.name }),
});

import { defineService, z } from "dragoman";

const item = z.object({
  sku: z.string(),
  name: z.string(),
  quantity: z.int().min(1),
  price: z.number(),
  tags: z.array(z.string()).optional(),
});

const order = z.object({ id: z.int(), customer: z.string(), items: z.array(item) });

/** Takes an order and gives it back: validated on both ways. */
export const echo = defineService({
  name: "bench.echo",
  input: order,
  output: order,
  handle: ({ input }) => input,
});

/** Counts what streams in. */
export const receive = defineService({
  name: "bench.receive",
  streamBody: true,
  async handle({ request }) {
    let bytes = 0;
    for await (const chunk of request.body ?? []) bytes += chunk.length;
    return { bytes };
  },
});

const chunk = new Uint8Array(65_536).fill(120);

/** Streams 10 MB out. */
export const send = defineService({
  name: "bench.send",
  handle({ response }) {
    response.headers.set("Content-Type", "application/octet-stream");
    let left = 160;
    return new ReadableStream<Uint8Array>({
      pull(controller) {
        if (left-- > 0) controller.enqueue(chunk);
        else controller.close();
      },
    });
  },
});

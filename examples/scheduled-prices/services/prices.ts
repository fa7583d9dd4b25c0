import { defineService, ServiceError, z } from "dragoman";

const price = z.object({ product: z.string(), cents: z.int(), asOf: z.string() });

/** Asks the market, which here is a formula, and keeps what it says for everybody. */
export const refresh = defineService({
  name: "prices.refresh",
  input: z.object({ products: z.array(z.string()).min(1) }),
  output: z.object({ refreshed: z.int() }),
  async handle({ input: { products }, kvdb, time }) {
    const asOf = time.iso(time.now());
    for (const product of products) {
      const cents = 900 + product.length * 100;
      await kvdb.set(`price:${product}`, JSON.stringify({ product, cents, asOf }));
    }
    return { refreshed: products.length };
  },
});

/** Answers at once, whether the market does or not. */
export const current = defineService({
  name: "prices.current",
  input: z.object({ product: z.string() }),
  output: price,
  async handle({ input: { product }, kvdb }) {
    const text = await kvdb.get(`price:${product}`);
    if (text === undefined) throw new ServiceError(404, `There is no price of ${product} yet`);
    return price.parse(JSON.parse(text));
  },
});

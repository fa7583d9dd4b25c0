import { defineService, ServiceError, z } from "dragoman";

const input = z.object({ weight: z.int().min(1).max(30_000) });
const offer = z.object({ carrier: z.string(), cents: z.int() });
const price = z.object({ cents: z.int() });

/** Calls a carrier. The connection repeats what failed, fails over, and breaks the circuit. */
export const slowCarrier = defineService({
  name: "shipping.slow",
  input,
  output: offer,
  timeoutMs: 2_000, // whoever calls
  async handle({ input, out }) {
    const { data } = await out.rest("slow-carrier").get("/price", { query: input, schema: price });
    return { carrier: "slow", cents: data.cents };
  },
});

export const flakyCarrier = defineService({
  name: "shipping.flaky",
  input,
  output: offer,
  async handle({ input, out, retry, log }) {
    // This connection does not repeat by itself (`attempts: 1`): here we say what is repeated.
    const { data } = await retry(({ attempt }) => {
      log.info("Asking", { attempt });
      return out.rest("flaky-carrier").get("/price", { query: input, schema: price });
    }, { attempts: 4, firstMs: 20 });
    return { carrier: "flaky", cents: data.cents };
  },
});

/** Asks all carriers at the same time; those that fail are left out. */
export const cheapest = defineService({
  name: "shipping.cheapest",
  description: "The cheapest offer of all carriers, kept for a minute",
  input,
  output: z.object({ best: offer, failed: z.array(z.string()) }),
  handle: ({ input, parallel, cache, log }) =>
    cache("offers").getOrSet(String(input.weight), async () => {
      const outcomes = await parallel({
        slow: [slowCarrier, input],
        flaky: [flakyCarrier, input],
      });
      const all = Object.entries(outcomes);
      const failed = all.filter(([, { ok }]) => !ok).map(([name]) => name);
      const offers = all.flatMap(([, outcome]) => outcome.ok ? [outcome.value] : []);
      const [best] = offers.toSorted((a, b) => a.cents - b.cents);
      if (best === undefined) throw new ServiceError(503, "No carrier answers");
      if (failed.length > 0) log.warn("Carriers left out", { failed });
      return { best, failed };
    }),
});

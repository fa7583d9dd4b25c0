import { defineService, ServiceError, z } from "dragoman";

/** What one euro is worth. */
const rates = new Map([["EUR", 1], ["PLN", 4.25], ["USD", 1.1]]);

export const convert = defineService({
  name: "exchange.convert",
  description: "The operation Convert",
  input: z.object({
    Amount: z.number(),
    From: z.string(),
    To: z.string(),
  }),
  output: z.object({
    Amount: z.number(),
    Rate: z.number(),
  }),
  handle({ input: { Amount, From, To } }) {
    const rate = round(rateOf(To) / rateOf(From), 6);
    return { Amount: round(Amount * rate, 2), Rate: rate };
  },
});

export const listCurrencies = defineService({
  name: "exchange.list-currencies",
  description: "The operation ListCurrencies",
  input: z.object({}),
  output: z.object({
    Currency: z.array(z.string()),
  }),
  handle: () => ({ Currency: [...rates.keys()] }),
});

function rateOf(currency: string): number {
  const rate = rates.get(currency);
  // Over SOAP a fault of code Client; over REST, were there such a channel, a 404.
  if (rate === undefined) throw new ServiceError(404, `There is no currency ${currency}`);
  return rate;
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

import type { StoredObject } from "../../../src/catalog/kind.ts";
import { object, WorkerProcess } from "../data-plane/worker-process.ts";

/** Services with everything that a schema can say, for toolkits of other languages to call. */
const source = `
const Address = z.object({
  street: z.string(),
  city: z.string().optional(),
}).meta({ id: "Address", description: "Where somebody lives" });
const Line = z.object({
  sku: z.string().min(1).max(20).meta({ xml: { attribute: true } }),
  quantity: z.int().min(1),
  price: z.number(),
  tags: z.array(z.string()),
}).meta({ id: "Line" });
const Order = z.object({
  id: z.int(),
  customer: z.string(),
  address: Address,
  lines: z.array(Line),
  kind: z.enum(["retail", "wholesale"]),
  express: z.boolean().default(false),
  day: z.iso.date(),
  at: z.date(),
  note: z.string().nullable(),
  codes: z.array(z.int()).meta({ xml: { wrapped: "code" } }),
}).meta({ id: "Order" });

export const create = defineService({
  name: "orders.create",
  description: "Takes an order & answers it",
  input: z.object({ order: Order, coupon: z.string().optional() }),
  output: z.object({ order: Order, total: z.number(), coupon: z.string().optional() }),
  handle({ input }) {
    const total = input.order.lines.reduce((sum, one) => sum + one.quantity * one.price, 0);
    return { ...input, total };
  },
});
export const sum = defineService({
  name: "orders.sum",
  input: z.object({ numbers: z.array(z.number()), round: z.boolean() }),
  output: z.object({ sum: z.number(), count: z.int() }),
  handle({ input }) {
    const sum = input.numbers.reduce((one, other) => one + other, 0);
    return { sum: input.round ? Math.round(sum) : sum, count: input.numbers.length };
  },
});
export const count = defineService({
  name: "orders.count",
  input: z.array(z.string()),
  output: z.int(),
  handle: ({ input }) => input.length,
});
export const refuse = defineService({
  name: "orders.refuse",
  input: z.object({ how: z.enum(["caller", "broken", "nothing"]) }),
  handle({ input }) {
    if (input.how === "caller") {
      throw new ServiceError(409, "Order 7 is <closed>", { details: { order: 7 } });
    }
    if (input.how === "broken") throw new Error("password=secret");
  },
});
export const headers = defineService({
  name: "orders.headers",
  input: z.object({}),
  output: z.object({ names: z.array(z.string()) }),
  handle: ({ request, response }) => {
    response.headers.set("X-Answer", "yes");
    return { names: request.soapHeaders.map((one) => one.namespace + " " + one.name) };
  },
});
const Tree = z.object({ name: z.string(), get parts() { return z.array(Tree); } })
  .meta({ id: "Tree" });
const Everything = z.object({
  tree: Tree,
  money: z.object({
    currency: z.enum(["EUR", "USD"]).meta({ xml: { attribute: true } }),
    amount: z.number().meta({ xml: { text: true } }),
  }).optional(),
  choice: z.discriminatedUnion("t", [
    z.object({ t: z.literal("a"), v: z.number() }),
    z.object({ t: z.literal("b"), w: z.string() }),
  ]).optional(),
  either: z.union([z.int(), z.boolean()]).optional(),
  labels: z.record(z.string(), z.string()).optional(),
  matrix: z.array(z.array(z.number())).optional(),
  big: z.bigint(),
  bytes: z.base64(),
  pair: z.tuple([z.string(), z.int()]).optional(),
  foreign: z.string().meta({ xml: { namespace: "urn:other" } }).optional(),
  anything: z.any().optional(),
});
export const echo = defineService({
  name: "orders.echo",
  input: z.object({ all: Everything }),
  output: z.object({ all: Everything }),
  handle: ({ input }) => input,
});
export const ghost = defineService({
  name: "orders.control",
  input: z.object({}),
  output: z.object({ text: z.string() }),
  handle: () => ({ text: "a\\u0001b" }),
});
`;

export const operations = {
  CreateOrder: "orders.create",
  Sum: "orders.sum",
  Count: "orders.count",
  Refuse: "orders.refuse",
  Headers: "orders.headers",
  Control: "orders.control",
  Echo: "orders.echo",
};

export function soapChannel(
  path: string,
  more: Readonly<Record<string, unknown>> = {},
): StoredObject {
  const base = { path, security: "none", namespace: "urn:example:orders" };
  const target = "service" in more ? {} : { operations };
  return object("SoapChannel", path.slice(1), { ...base, ...target, ...more });
}

/** A worker with these services, and channels of every style and version. */
export async function startOrders(
  more: readonly StoredObject[] = [],
  init: Parameters<typeof WorkerProcess.start>[0] = {},
): Promise<WorkerProcess> {
  const worker = await WorkerProcess.start(init);
  const { failures } = await worker.configure({
    bundles: [await worker.bundle("orders.ts", source)],
    upserted: [
      soapChannel("/orders"),
      soapChannel("/orders11", { version: "1.1" }),
      soapChannel("/orders12", { version: "1.2" }),
      soapChannel("/rpc", { style: "rpc", namespace: "urn:example:rpc" }),
      ...more,
    ],
  });
  if (failures.length > 0) throw new Error(JSON.stringify(failures));
  return worker;
}

/** An order of about `bytes` as JSON. */
export function orderOf(bytes: number): Order {
  const items = [];
  for (let index = 0; 60 + 105 * index < bytes; index++) {
    items.push({
      sku: `SKU-${String(index).padStart(6, "0")}`,
      name: "A thing of middling length",
      quantity: 1 + index % 9,
      price: 19.5 + index,
      tags: ["red", "large"],
    });
  }
  return { id: 4711, customer: "Ana Example", items };
}

/** What the benchmark's service takes. */
export interface Order {
  readonly id: number;
  readonly customer: string;
  readonly items: readonly {
    readonly sku: string;
    readonly name: string;
    readonly quantity: number;
    readonly price: number;
    readonly tags: readonly string[];
  }[];
}

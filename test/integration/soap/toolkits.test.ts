import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { WorkerProcess } from "../data-plane/worker-process.ts";
import { startOrders } from "./orders.ts";
import { nodeSoap, php, type Toolkit, type ToolkitOutcome, zeep } from "./toolkits.ts";

const toolkits: readonly (readonly [string, Toolkit])[] = [
  ["zeep", zeep],
  ["PHP's SoapClient", php],
  ["node-soap", nodeSoap],
];

const targets = [
  { path: "/orders", version: "1.1", style: "document" },
  { path: "/orders12", version: "1.2", style: "document" },
  { path: "/rpc", version: "1.1", style: "rpc" },
] as const;

const address = { street: "Hauptstraße 1 <\"&'>", city: "Köln" };

/** As a toolkit takes it; the attribute of a line is a member like others. */
function order(sku: (text: string) => Readonly<Record<string, unknown>>) {
  return {
    id: 9_007_199_254_740_991,
    customer: "ACME & Söhne 😀",
    address,
    lines: [
      { ...sku("A-1"), quantity: 2, price: 2.5, tags: ["a", " b "] },
      { ...sku("B"), quantity: 1, price: 1 },
    ],
    kind: "wholesale",
    express: true,
    day: "2026-01-02",
    at: "2026-01-02T03:04:05+00:00",
    note: null,
    codes: { code: [1, 2] },
  };
}

/** Trees, choices and bytes. */
const rare = {
  tree: { name: "a", parts: [{ name: "b", parts: [] }, { name: "c" }] },
  choice: { t: "b", w: "x" },
  big: 12_345_678_901,
  bytes: "aGVsbG8=",
};

/** In node-soap, attributes are apart. */
function skuOf(toolkit: Toolkit) {
  return (sku: string) => toolkit === nodeSoap ? { attributes: { sku } } : { sku };
}

let worker: WorkerProcess;
before(async () => {
  worker = await startOrders();
});
after(() => worker[Symbol.asyncDispose]());

for (const { path, version, style } of targets) {
  for (const [name, toolkit] of toolkits) {
    describe(`${name} on SOAP ${version}, ${style}`, () => {
      let outcomes: readonly ToolkitOutcome[];
      const listOf = (items: readonly unknown[]) => style === "rpc" ? { item: items } : items;

      before(async () => {
        const full = order(skuOf(toolkit));
        const wrong = {
          ...full,
          lines: [{ ...full.lines[0], quantity: 0 }],
          address: { street: "x" },
        };
        outcomes = await toolkit({ url: `${worker.url}${path}?wsdl`, version, style }, [
          { operation: "CreateOrder", input: { order: full, coupon: "C" } },
          { operation: "Sum", input: { numbers: listOf([1, 2.5]), round: false } },
          { operation: "Count", input: { input: listOf(["a", "b"]) } },
          { operation: "Refuse", input: { how: "caller" } },
          { operation: "Refuse", input: { how: "broken" } },
          { operation: "CreateOrder", input: { order: wrong, coupon: "" } },
          { operation: "Echo", input: { all: rare } },
        ]);
      });

      it("sends and gets nested objects, lists, attributes, dates and null", () => {
        const text = JSON.stringify(outcomes[0]?.answer);
        const { order: got, total } = outcomes[0]?.answer as { // what the WSDL says
          readonly order: Readonly<Record<string, unknown>>;
          readonly total: unknown;
        };

        assert.equal(Number(total), 6, text);
        assert.equal(Number(got["id"]), 9_007_199_254_740_991);
        assert.equal(got["customer"], "ACME & Söhne 😀");
        assert.deepEqual(got["address"], address);
        assert.equal(got["kind"], "wholesale");
        // node-soap neither types what is inside rpc parts nor keeps spaces at the ends of texts.
        assert.equal(String(got["express"]), "true");
        assert.match(text, /"2026-01-02[T"].*"2026-01-02T03:04:05/);
        assert.match(text, /"A-1".*"B"|"sku":"A-1"/);
        assert.match(text, /\["a"," ?b ?"\]/);
        assert.match(text, /"codes":\{"code":\["?1"?,"?2"?\]\}/);
      });

      it("gets scalars and counts lists", () => {
        assert.deepEqual(outcomes[1]?.answer, { sum: 3.5, count: 2 });
        assert.match(JSON.stringify(outcomes[2]?.answer), /^(2|\{"result":2\})$/);
      });

      it("sends and gets trees, choices and bytes", () => {
        const text = JSON.stringify(outcomes[6]);

        assert.match(text, /"name":"a","parts":\[\{"name":"b".*"name":"c"/);
        assert.match(text, /"w":"x"/);
        assert.match(text, /12345678901/);
        // zeep gives the bytes themselves, the others what they were given.
        assert.match(text, /"bytes":"(hello|aGVsbG8=)"/);
      });

      it("is told what a service says to its caller, and whose fault it is", () => {
        const { code, message, detail } = outcomes[3] ?? {};

        assert.equal(code, version === "1.1" ? "soap:Client" : "soap:Sender");
        assert.equal(message, "Order 7 is <closed>");
        assert.match(JSON.stringify(detail), /"status":"?409"?/);
        assert.match(JSON.stringify(detail), /"cid":"\w{26}"/);
      });

      it("is told nothing of what broke", () => {
        assert.equal(outcomes[4]?.code, version === "1.1" ? "soap:Server" : "soap:Receiver");
        assert.doesNotMatch(JSON.stringify(outcomes[4]), /secret|orders\.refuse/);
      });

      it("is told which field is wrong", () => {
        assert.match(
          JSON.stringify(outcomes[5]?.detail),
          /\\?\/order\\?\/lines\\?\/0\\?\/quantity/,
        );
      });
    });
  }
}

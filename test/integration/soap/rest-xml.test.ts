import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { channel, WorkerProcess } from "../data-plane/worker-process.ts";
import { hostileCases } from "./hostile-cases.ts";

const source = `
const Order = z.object({
  id: z.int(), lines: z.array(z.object({ sku: z.string(), price: z.number() })),
});
export const order = defineService({
  name: "order", input: Order, output: Order, handle: ({ input }) => input,
});
`;

const body = "<order><id>7</id><lines><sku>a&amp;b</sku><price>1.5</price></lines></order>";

let worker: WorkerProcess;
before(async () => {
  worker = await WorkerProcess.start();
  const { failures } = await worker.configure({
    bundles: [await worker.bundle("order.ts", source)],
    upserted: [channel("/order", "order", { formats: ["json", "xml"], output: ["json", "xml"] })],
  });
  assert.deepEqual(failures, []);
});
after(() => worker[Symbol.asyncDispose]());

function send(text: BodyInit, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  const all = { "Content-Type": "application/xml", ...headers };
  return worker.fetch("/order", { method: "POST", headers: all, body: text });
}

describe("A REST channel that speaks XML", () => {
  it("takes and answers it, from the schema that serves JSON", async () => {
    const xml = await send(body, { Accept: "application/xml" });
    const json = await send(body, { Accept: "application/json" });

    assert.deepEqual(await json.json(), { id: 7, lines: [{ sku: "a&b", price: 1.5 }] });
    assert.match(xml.headers.get("content-type") ?? "", /^application\/xml/);
    assert.match(
      await xml.text(),
      /<response><id>7<\/id><lines><sku>a&amp;b<\/sku><price>1.5<\/price><\/lines><\/response>$/,
    );
  });

  it("names wrong fields by pointer", async () => {
    const response = await send("<order><id>x</id></order>");

    const { errors } = await response.json();
    assert.equal(response.status, 400);
    assert.deepEqual(errors.map((one: { readonly pointer: string }) => one.pointer), ["/id"]);
  });

  it("survives what is hostile", async () => {
    for (const { name, body: hostile, headers } of hostileCases) {
      const response = await send(hostile, headers);
      const text = await response.text();
      assert.ok(response.status >= 400 && response.status < 500, `${name}: ${response.status}`);
      assert.doesNotMatch(text, /root:|\.ts:\d/, name);
    }
    assert.equal((await send(body)).status, 200);
  });
});

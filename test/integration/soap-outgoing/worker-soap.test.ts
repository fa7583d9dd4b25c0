import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { readWsdl } from "../../../src/soap/wsdl/read-wsdl.ts";
import { channel, WorkerProcess } from "../data-plane/worker-process.ts";
import { sealed } from "../security/sealed-object.ts";

const source = `
const money = z.object({
  currency: z.enum(["EUR", "USD"]).meta({ xml: { attribute: true } }),
  amount: z.number().meta({ xml: { text: true } }),
}).meta({ id: "Money" });
const order = z.object({
  id: z.int(),
  total: money,
  flag: z.boolean().nullable(),
  tags: z.array(z.string()),
  lines: z.array(z.object({ sku: z.string() })).meta({ xml: { wrapped: "line" } }),
  day: z.iso.date(),
}).meta({ id: "Order" });
export const double = defineService({
  name: "double",
  input: z.object({ order }),
  output: z.object({ order }),
  handle: ({ input: { order } }) => {
    if (order.id === 404) throw new ServiceError(404, "no such order", { details: { id: "404" } });
    return { order: { ...order, id: order.id * 2 } };
  },
});
export const bridge = defineService({
  name: "bridge",
  input: z.object({ to: z.string(), operation: z.string().default("Double"), order: z.unknown() }),
  handle: async ({ input, out }) => {
    try {
      return await out.soap(input.to).call(input.operation, { order: input.order });
    } catch (error) {
      return { code: error.code, details: error.details, message: error.message };
    }
  },
});`;

const order = {
  id: 21,
  total: { "@currency": "EUR", "#text": 1.5 },
  flag: null,
  tags: ["a", "b"],
  lines: { line: [{ sku: "x" }] },
  day: "2026-01-31",
};

let worker: WorkerProcess;
const wsdls = new Map<string, string>();

async function bridge(to: string, more: Readonly<Record<string, unknown>> = {}) {
  const response = await worker.fetch("/bridge", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ to, order, ...more }),
  });
  return await response.json();
}

before(async () => {
  worker = await WorkerProcess.start();
  const bundles = [await worker.bundle("s.ts", source)];
  const operations = { Double: "double" };
  const soap = (style: string) =>
    sealed("SoapChannel", style, { path: `/soap/${style}`, operations, style, security: "none" });
  const first = await worker.configure({
    bundles,
    upserted: [await soap("document"), await soap("rpc"), channel("/bridge", "bridge")],
  });
  assert.deepEqual(first.failures, []);
  for (const style of ["document", "rpc"]) {
    wsdls.set(style, await (await worker.fetch(`/soap/${style}?wsdl`)).text());
  }
  const outgoing = async (style: string, port: string) =>
    await sealed("SoapOutgoing", `${style}-${port}`, { wsdl: wsdls.get(style), port });
  const { failures } = await worker.configure({
    bundles,
    upserted: [
      await outgoing("document", "DocumentSoap11"),
      await outgoing("document", "DocumentSoap12"),
      await outgoing("rpc", "RpcSoap11"),
      await outgoing("rpc", "RpcSoap12"),
    ],
  });
  assert.deepEqual(failures, []);
});
after(() => worker?.[Symbol.asyncDispose]());

const connections = [
  "document-DocumentSoap11",
  "document-DocumentSoap12",
  "rpc-RpcSoap11",
  "rpc-RpcSoap12",
];

describe("A service that calls a SOAP channel of ours by its WSDL", () => {
  for (const name of connections) {
    it(`gets back what it sent (${name})`, async () => {
      assert.deepEqual(await bridge(name), { order: { ...order, id: 42 } });
    });

    it(`is told of faults (${name})`, async () => {
      const outcome = await bridge(name, { order: { ...order, id: 404 } });
      assert.equal(outcome.code, "SOAP_FAULT");
      assert.match(outcome.message, /Double.*no such order/);
      const { status, detail } = outcome.details.detail.Problem;
      assert.deepEqual([status, detail], [404, "no such order"]);
    });
  }

  it("is told what it got wrong", async () => {
    const { code, message } = await bridge(connections[0]!, { order: { ...order, id: "x" } });
    assert.equal(code, "OUTGOING_REQUEST");
    assert.match(message, /at \/order\/id: It is not an integer/);
    const unknown = await bridge(connections[0]!, { operation: "Duble" });
    assert.match(unknown.message, /did you mean "Double"/);
  });
});

describe("The WSDLs of our channels", () => {
  it("can be read", () => {
    for (const text of wsdls.values()) {
      const { ports } = readWsdl(text);
      assert.deepEqual(ports.map(({ version }) => version.name), ["1.1", "1.2"]);
      assert.deepEqual([...ports[0]!.operations.keys()], ["Double"]);
    }
  });
});

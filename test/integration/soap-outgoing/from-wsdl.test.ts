import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { createClientAsync } from "soap";
import { parse } from "yaml";
import { runCaptured } from "../../../src/cli/captured-io.ts";
import { sealed } from "../security/sealed-object.ts";
import { WorkerProcess } from "../data-plane/worker-process.ts";
import { callWithZeep } from "./zeep.ts";

const fixture = (name: string) => fileURLToPath(import.meta.resolve(`./fixtures/${name}`));

const customer = {
  Id: 7,
  Name: "Zoë & <Co>",
  Active: true,
  Balance: 12.5,
  Since: "2020-01-02T03:04:05Z",
  Closed: null,
  Level: "Gold",
  Key: "01234567-89ab-cdef-0123-456789abcdef",
  Orders: { Order: [{ "@currency": "EUR", Number: 1, Tag: ["a", "b"] }] },
};

const bodies: Readonly<Record<string, string>> = {
  "customers.get-customer": `({ input }) => ({
    GetCustomerResult: { ...${JSON.stringify(customer)}, Id: input.id },
  })`,
  "customers.save-customer": `({ input }) => {
    if (input.customer?.Orders?.Order[0]?.["@currency"] !== "EUR") throw new ServiceError(400, "no");
    return {};
  }`,
  "shop.place-order": `({ input }) => ({ return: JSON.stringify(input) })`,
  "shop.notify": `() => ({})`,
  "stock.find": `({ input }) => ({
    items: { item: [{ sku: input.term, count: input.limit }] }, total: 1,
  })`,
};

let directory: string;
let worker: WorkerProcess;

/** Makes the files, and answers what they say with every stub written. */
async function make(wsdl: string, base: string) {
  const words = ["new", "service", "--from-wsdl", fixture(wsdl), "--security", "none"];
  const { code, stderr } = await runCaptured(words, { cwd: directory });
  assert.equal(code, 0, stderr);
  const source = await readFile(join(directory, `services/${base}.ts`), "utf8");
  const written = source.replace(/^import .*$/gm, "")
    .replace(
      /(name: "([\w-]+\.[\w-]+)",\n[\s\S]*?)handle: \(\) => \{[\s\S]*?\n {2}\},/g,
      (_, head, name) => `${head}handle: ${bodies[name]},`,
    );
  const { kind, name, spec } = parse(
    await readFile(join(directory, `objects/${base}.yaml`), "utf8"),
  );
  return {
    bundle: await worker.bundle(`${base}.ts`, written),
    channel: await sealed(kind, name, spec),
  };
}

before(async () => {
  directory = await mkdtemp(join(tmpdir(), "dragoman-wsdl-"));
  worker = await WorkerProcess.start();
  const made = [
    await make("dotnet.wsdl", "customers"),
    await make("cxf/service.wsdl", "shop"),
    await make("rpc.wsdl", "stock"),
  ];
  const { failures } = await worker.configure({
    bundles: made.map(({ bundle }) => bundle),
    upserted: made.map(({ channel }) => channel),
  });
  assert.deepEqual(failures, []);
});
after(async () => {
  await worker?.[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

describe("A service made from a WSDL", () => {
  it("is called by zeep with that WSDL, over SOAP 1.1 and 1.2", async () => {
    for (const binding of ["CustomersSoap", "CustomersSoap12"]) {
      const [found, saved] = await callWithZeep({
        wsdl: fixture("dotnet.wsdl"),
        address: `${worker.url}/soap/customers`,
        binding: `{http://tempuri.org/}${binding}`,
        calls: [
          { operation: "GetCustomer", input: { id: 9 } },
          {
            operation: "SaveCustomer",
            input: {
              customer: {
                Id: 1,
                Active: true,
                Balance: 1.5,
                Since: "2020-01-02T03:04:05Z",
                Closed: null,
                Level: "Silver",
                Key: customer.Key,
                Orders: { Order: [{ currency: "EUR", Number: 5 }] },
              },
            },
          },
        ],
      });
      const answer = found?.answer as Record<string, unknown>;
      assert.equal(answer["Id"], 9);
      assert.equal(answer["Name"], customer.Name);
      assert.equal(answer["Closed"], null);
      assert.equal(answer["Balance"], 12.5);
      assert.deepEqual(answer["Orders"], {
        Order: [{ currency: "EUR", Number: 1, Tag: ["a", "b"] }],
      });
      assert.deepEqual(saved, { answer: null });
    }
  });

  it("is called by the soap package with that WSDL", async () => {
    const client = await createClientAsync(fixture("dotnet.wsdl"), {
      endpoint: `${worker.url}/soap/customers`,
    });
    const [answer] = await client["GetCustomerAsync"]({ id: 3 });
    assert.equal(answer.GetCustomerResult.Id, 3);
    assert.equal(answer.GetCustomerResult.Orders.Order[0].attributes.currency, "EUR");
  });

  it("takes elements of several namespaces, and answers them", async () => {
    const order = {
      number: 5,
      day: "2026-01-31",
      source: "web",
      lines: [{ sku: "AB-1", price: { _value_1: 1.5, currency: "EUR" } }],
      card: "x",
      payer: { name: "ACME" },
      by: "ana",
      at: "2026-01-31T10:00:00Z",
    };
    const [outcome, none] = await callWithZeep({
      wsdl: fixture("cxf/service.wsdl"),
      address: `${worker.url}/soap/shop`,
      binding: "{http://impl.shop.example.com/}ShopServiceSoapBinding",
      calls: [
        { operation: "placeOrder", input: { arg0: order } },
        { operation: "notify", input: { text: "hello" } },
      ],
    });
    assert.ok(outcome?.answer, JSON.stringify(outcome));
    assert.deepEqual(JSON.parse(String(outcome.answer)).arg0, {
      "@lang": "en",
      "@source": "web",
      number: 5,
      day: "2026-01-31",
      lines: [{ sku: "AB-1", price: { "@currency": "EUR", "#text": 1.5 }, part: [] }],
      card: "x",
      payer: { name: "ACME" },
      by: "ana",
      at: "2026-01-31T10:00:00Z",
    });
    assert.equal(none?.message, undefined);
  });

  it("is called in rpc style", async () => {
    const [outcome] = await callWithZeep({
      wsdl: fixture("rpc.wsdl"),
      address: `${worker.url}/soap/stock`,
      binding: "{urn:example:stock}StockBinding",
      calls: [{ operation: "find", input: { term: "a<b", limit: 2 } }],
    });
    assert.deepEqual(outcome?.answer, {
      items: { item: [{ sku: "a<b", count: 2 }] },
      total: 1,
    });
  });

  it("has types that check, and tests that pass", async () => {
    const main = fileURLToPath(import.meta.resolve("../../../src/cli/main.ts"));
    const config = fileURLToPath(import.meta.resolve("../../../deno.json"));
    const run = (word: string) =>
      promisify(execFile)(process.execPath, ["run", "-A", "--config", config, main, word], {
        cwd: directory,
      });
    assert.match((await run("check")).stdout, /No type errors/);
    assert.match((await run("test")).stdout, /0 failed/);
  });

  it("says what a WSDL lacks", async () => {
    const words = ["new", "service", "--from-wsdl", "nothing.wsdl"];
    const { code, stderr } = await runCaptured(words, { cwd: directory });
    assert.notEqual(code, 0);
    assert.match(stderr, /nothing\.wsdl: it cannot be read/);
  });
});

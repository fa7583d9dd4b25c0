import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { defineService, z } from "../index.ts";
import { createTestKit, soapFault, UnexpectedCall } from "./index.ts";

const getCustomer = defineService({
  name: "crm.customer.get",
  input: z.object({ id: z.int() }),
  output: z.object({ id: z.int(), name: z.string() }),
  async handle({ input, out }) {
    const { data } = await out.rest("CRM").get<{ name: string }>("/customers/{id}", {
      params: { id: input.id },
      query: { fields: ["name", "id"], lang: "en" },
    });
    return { id: input.id, name: data.name };
  },
});

describe("kit.rest", () => {
  it("answers calls and records them", async () => {
    const kit = createTestKit({ rest: { CRM: {} } });
    kit.rest("CRM").on("GET", "/customers/{id}", ({ params }) => ({
      data: { name: `Customer ${params["id"]}` },
    }));

    const { output, calls } = await kit.run(getCustomer, { id: 7 });

    assert.deepEqual(output, { id: 7, name: "Customer 7" });
    assert.equal(calls.length, 1);
    const [call] = kit.rest("CRM").calls;
    assert.equal(call, calls[0]);
    assert.equal(call?.path, "/customers/7");
    assert.deepEqual(call?.query, { fields: ["name", "id"], lang: "en" });
  });

  it("fails for a call without an answer, even when the service catches it", async () => {
    const careless = defineService({
      name: "careless",
      handle: ({ out }) => out.rest("CRM").delete("/customers/7").catch(() => "never mind"),
    });
    const kit = createTestKit({ rest: { CRM: { "GET /customers/{id}": {} } } });

    const message = 'DELETE /customers/7 of the RestOutgoing "CRM" was called, and the test has ' +
      "no answer for that; it has answers for: GET /customers/{id}";
    await assert.rejects(kit.run(careless, {}), { name: "UnexpectedCall", message });
    await assert.rejects(kit.fails(careless, {}), UnexpectedCall);
  });

  it("rejects as the real client does", async () => {
    const failures: readonly (readonly [object, string, number])[] = [
      [{ status: 404, data: { why: "gone" } }, "OUTGOING_STATUS", 502],
      [{ failure: "unreachable" }, "OUTGOING_UNREACHABLE", 502],
      [{ failure: "timeout" }, "OUTGOING_TIMEOUT", 504],
      [{ failure: "breaker-open" }, "OUTGOING_BREAKER_OPEN", 503],
    ];
    for (const [answer, code, status] of failures) {
      const kit = createTestKit({ rest: { CRM: { "GET /customers/{id}": answer } } });
      const failure = await kit.fails(getCustomer, { id: 7 });
      assert.deepEqual([failure.code, failure.status], [code, status]);
    }
    const nearly = createTestKit({ rest: { CRN: {} } });
    assert.match((await nearly.fails(getCustomer, { id: 7 })).message, /did you mean "CRN"/);
  });

  it("takes lists of answers, accepts statuses and checks schemas", async () => {
    const probe = defineService({
      name: "probe",
      async handle({ out }) {
        const client = out.rest("CRM");
        const first = await client.post("/orders", { at: new Date(0) }, { accept: [409] });
        const second = await client.post("/orders", { at: new Date(0) });
        const checked = await client.get("/orders", { schema: z.object({ n: z.number() }) });
        return [first.status, second.status, checked.data.n];
      },
    });
    const kit = createTestKit({
      rest: { CRM: { "POST /orders": [{ status: 409 }, { status: 201 }] } },
    });

    kit.rest("CRM").on("GET", "/orders", { data: { n: 3 } });
    const { output } = await kit.run(probe, {});
    kit.rest("CRM").on("GET", "/orders", { data: { n: "three" } });
    const failure = await kit.fails(probe, {});

    assert.deepEqual(output, [409, 201, 3]);
    assert.deepEqual(kit.rest("CRM").calls[0]?.body, { at: "1970-01-01T00:00:00.000Z" });
    assert.equal(failure.code, "OUTGOING_REPLY_INVALID");
  });

  it("prefers the more specific path, and never lets a value add a segment", async () => {
    const look = defineService({
      name: "look",
      input: z.object({ id: z.string() }),
      handle: async ({ input, out }) =>
        (await out.rest("CRM").get("/customers/{id}", { params: { id: input.id } })).data,
    });
    const kit = createTestKit({
      rest: {
        CRM: {
          "GET /customers/new": { data: "new" },
          "GET /customers/{id}": ({ path, params }) => ({ data: [path, params["id"]] }),
        },
      },
    });

    assert.equal((await kit.run(look, { id: "new" })).output, "new");
    assert.deepEqual((await kit.run(look, { id: "../a b" })).output, [
      "/customers/..%2Fa%20b",
      "../a b",
    ]);
  });
});

describe("kit.soap", () => {
  const transfer = defineService({
    name: "transfer",
    handle: ({ out }) => out.soap("Bank").call<{ id: string }>("Transfer", { amount: 5 }),
  });

  it("answers operations and records them", async () => {
    const kit = createTestKit({ soap: { Bank: { Transfer: { id: "t1" } } } });

    const { output, calls } = await kit.run(transfer, {});

    assert.deepEqual(output, { id: "t1" });
    assert.deepEqual(calls[0], {
      protocol: "soap",
      connection: "Bank",
      operation: "Transfer",
      input: { amount: 5 },
      cid: "cid-1",
    });
  });

  it("rejects with faults, and for operations that the test does not know", async () => {
    const kit = createTestKit({ soap: { Bank: {} } });

    await assert.rejects(kit.run(transfer, {}), /operation Transfer of the SoapOutgoing "Bank"/);
    kit.soap("Bank").on("Transfer", () => {
      throw soapFault({ code: "Server", reason: "No money", detail: { balance: 1 } });
    });
    const failure = await kit.fails(transfer, {});

    assert.equal(failure.code, "SOAP_FAULT");
    assert.deepEqual(failure.details, {
      code: "Server",
      reason: "No money",
      detail: { balance: 1 },
    });
  });
});

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { loadWsdl } from "../../../src/soap/wsdl/load-wsdl.ts";
import { type SoapPeer, startNodeSoap } from "./node-soap-server.ts";
import { type OpenedSoap, openSoap, refusal } from "./open-soap.ts";

const fixture = (name: string) =>
  loadWsdl(fileURLToPath(import.meta.resolve(`./fixtures/${name}`)));

const xsi = "http://www.w3.org/2001/XMLSchema-instance";

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
  Photo: "AQID",
};

describe("SoapOutgoing against a server of the soap package", () => {
  let wsdl: string;
  let peer: SoapPeer;
  const got: unknown[] = [];
  const operations = {
    GetCustomer: (args: { readonly id: number }) => {
      got.push(args);
      if (args.id === 404) {
        throw {
          Fault: {
            faultcode: "soap:Client",
            faultstring: "No customer 404",
            detail: { Missing: { id: 404, in: ["a", "b"] } },
            statusCode: 500,
          },
        };
      }
      return {
        GetCustomerResult: {
          ...customer,
          Id: args.id,
          Closed: { attributes: { "xmlns:xsi": xsi, "xsi:nil": "true" } },
          Orders: {
            Order: [{ attributes: { currency: "EUR" }, Number: 1, Tag: ["a", "b"] }],
          },
        },
      };
    },
    SaveCustomer: (args: unknown) => {
      got.push(args);
      return {};
    },
  };

  before(async () => {
    wsdl = await fixture("dotnet.wsdl");
    peer = await startNodeSoap(wsdl, {
      Customers: { CustomersSoap: operations, CustomersSoap12: operations },
    });
  });
  after(() => peer?.[Symbol.asyncDispose]());

  for (const port of ["CustomersSoap", "CustomersSoap12"]) {
    describe(`over ${port}`, () => {
      let opened: OpenedSoap;
      before(async () => {
        opened = await openSoap({ wsdl, port, address: peer.url });
      });
      after(() => opened?.[Symbol.asyncDispose]());

      it("gets typed JSON", async () => {
        const answer = await opened.soap.call("GetCustomer", { id: 7 });

        assert.deepEqual(answer, { GetCustomerResult: customer });
        const { headers } = peer.requests.at(-1)!;
        if (port === "CustomersSoap") {
          assert.equal(headers["soapaction"], '"http://tempuri.org/GetCustomer"');
        } else {
          assert.match(
            headers["content-type"] ?? "",
            /^application\/soap\+xml; charset=utf-8; action="http:\/\/tempuri.org\/GetCustomer"$/,
          );
        }
        assert.equal(headers["x-dragoman-cid"], "cid-1");
      });

      it("sends what the other side understands", async () => {
        await opened.soap.call("SaveCustomer", { customer });

        const { customer: seen } = got.at(-1) as { readonly customer: Record<string, unknown> };
        assert.equal(seen["Id"], 7);
        assert.equal(seen["Name"], "Zoë & <Co>");
        assert.equal(seen["Active"], true);
        assert.equal(seen["Photo"], "AQID");
        assert.deepEqual(seen["Orders"], {
          Order: [{ attributes: { currency: "EUR" }, Number: 1, Tag: ["a", "b"] }],
        });
      });

      it("rejects with the fault", async () => {
        const error = await refusal(opened.soap.call("GetCustomer", { id: 404 }));

        assert.equal(error.code, "SOAP_FAULT");
        assert.match(error.message, /ERP.*GetCustomer.*No customer 404/);
        const { code, reason, detail } = error.details as Record<string, unknown>;
        assert.equal(typeof code, "string");
        assert.equal(reason, "No customer 404");
        assert.deepEqual(detail, { Missing: { id: "404", in: ["a", "b"] } });
        assert.equal(opened.outgoing.status().figures["failures"] ?? 0, 0);
      });
    });
  }

  it("pings by the WSDL", async () => {
    await using opened = await openSoap({ wsdl, address: peer.url });
    const { detail } = await opened.outgoing.ping(AbortSignal.timeout(5_000));
    assert.match(detail, /HTTP 200 from/);
  });

  const refused: readonly (readonly [name: string, operation: string, input: unknown, RegExp])[] = [
    [
      "an unknown operation",
      "GetCustomr",
      {},
      /no operation "GetCustomr", did you mean "GetCustomer"/,
    ],
    ["a missing member", "GetCustomer", {}, /at \/id: It is missing/],
    ["a wrong type", "GetCustomer", { id: "x" }, /at \/id: It is not an integer/],
    ["a number that is too large", "GetCustomer", { id: 2 ** 31 }, /at \/id: It is more than/],
    ["an unknown member", "GetCustomer", { id: 1, regoin: "x" }, /at \/regoin: .*"region"/],
    ["an object for a text", "GetCustomer", { id: 1, region: {} }, /at \/region: It is not text/],
    ["a list for a value", "GetCustomer", { id: [1, 2] }, /at \/id: It is not an integer/],
    ["no object", "GetCustomer", 5, /It is no object/],
    ["a control character", "GetCustomer", { id: 1, region: "\u0001" }, /at \/region: .*U\+0001/],
    [
      "a value that is none of the enumeration",
      "SaveCustomer",
      { customer: { ...customer, Level: "Lead" } },
      /at \/customer\/Level: It is none of "Gold", "Silver"/,
    ],
    [
      "an item without its attribute",
      "SaveCustomer",
      { customer: { ...customer, Orders: { Order: [{ Number: 1 }] } } },
      /at \/customer\/Orders\/Order\/0\/@currency: It is missing/,
    ],
  ];
  for (const [name, operation, input, reason] of refused) {
    it(`refuses ${name} before anything is sent`, async () => {
      await using opened = await openSoap({ wsdl, address: peer.url });
      const before = peer.requests.length;
      const error = await refusal(opened.soap.call(operation, input));
      assert.equal(error.code, "OUTGOING_REQUEST");
      assert.match(error.message, reason);
      assert.equal(peer.requests.length, before);
    });
  }
});

describe("SoapOutgoing in rpc style", () => {
  it("calls by parts, and says what it cannot call", async () => {
    const wsdl = await fixture("rpc.wsdl");
    await using peer = await startNodeSoap(wsdl, {
      StockService: {
        StockPort: {
          find: ({ term, limit }: { readonly term: unknown; readonly limit: unknown }) => ({
            items: { item: [{ sku: String(term), count: Number(limit) }] },
            total: 1,
          }),
        },
      },
    });
    await using opened = await openSoap({ wsdl, address: peer.url });

    const answer = await opened.soap.call("find", { limit: 3, term: "<a>" });

    assert.deepEqual(answer, { items: { item: [{ sku: "<a>", count: 3 }] }, total: 1 });
    const error = await refusal(opened.soap.call("legacy", { x: "" }));
    assert.match(error.message, /encoded/);
  });
});

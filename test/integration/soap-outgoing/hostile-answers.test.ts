import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { loadWsdl } from "../../../src/soap/wsdl/load-wsdl.ts";
import { type Peer, startPeer } from "../outgoing/http-peer.ts";
import { openSoap, refusal } from "./open-soap.ts";

interface Answer {
  readonly status?: number;
  readonly type?: string;
  readonly body: string;
}

const soap = "http://schemas.xmlsoap.org/soap/envelope/";
const envelope = (body: string) =>
  `<s:Envelope xmlns:s="${soap}"><s:Body>${body}</s:Body></s:Envelope>`;
const fault = (inner: string) => envelope(`<s:Fault>${inner}</s:Fault>`);

let peer: Peer;
let wsdl: string;
let answer: Answer;
let requests = 0;

before(async () => {
  wsdl = await loadWsdl(fileURLToPath(import.meta.resolve("./fixtures/dotnet.wsdl")));
  peer = await startPeer((_request, response) => {
    requests++;
    const { status = 200, type = "text/xml; charset=utf-8", body } = answer;
    response.writeHead(status, { "content-type": type }).end(body);
  });
});
after(() => peer?.[Symbol.asyncDispose]());

const call = async (given: Answer, spec: Readonly<Record<string, unknown>> = {}) => {
  answer = given;
  await using erp = await openSoap({ wsdl, address: peer.url, ...spec });
  return await erp.soap.call("GetCustomer", { id: 1 });
};

describe("A SoapOutgoing refuses", () => {
  const cases: readonly (readonly [string, Answer, code: string, reason: RegExp])[] = [
    ["an empty answer", { body: "" }, "OUTGOING_REPLY_INVALID", /empty/],
    ["text", { body: "hello" }, "OUTGOING_REPLY_INVALID", /well-formed/],
    [
      "half an envelope",
      { body: envelope("").slice(0, 80) },
      "OUTGOING_REPLY_INVALID",
      /well-formed/,
    ],
    ["another document", { body: "<a/>" }, "OUTGOING_REPLY_INVALID", /not an Envelope/],
    [
      "an envelope of no version",
      {
        body: envelope("").replace(soap, "urn:soap"),
      },
      "OUTGOING_REPLY_INVALID",
      /another version/,
    ],
    ["no body", { body: `<s:Envelope xmlns:s="${soap}"/>` }, "OUTGOING_REPLY_INVALID", /no Body/],
    [
      "two bodies",
      {
        body: envelope("").replace("</s:Envelope>", "<s:Body/></s:Envelope>"),
      },
      "OUTGOING_REPLY_INVALID",
      /Body/,
    ],
    [
      "a document type",
      {
        body: `<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>${envelope("<c>&b;</c>")}`,
      },
      "OUTGOING_REPLY_INVALID",
      /document type/,
    ],
    [
      "depth without end",
      {
        body: envelope("<a>".repeat(100_000)),
      },
      "OUTGOING_REPLY_INVALID",
      /deeper/,
    ],
    [
      "prototype keys",
      {
        body: envelope(
          '<GetCustomerResponse xmlns="http://tempuri.org/"><__proto__><x>1</x></__proto__></GetCustomerResponse>',
        ),
      },
      "OUTGOING_REPLY_INVALID",
      /__proto__/,
    ],
    [
      "attachments",
      {
        body: "--x",
        type: "multipart/related; boundary=x",
      },
      "OUTGOING_REPLY_INVALID",
      /attachments/,
    ],
    [
      "a page of HTML with an error",
      {
        status: 502,
        type: "text/html",
        body: "<html>Bad gateway<br></html>",
      },
      "OUTGOING_STATUS",
      /502/,
    ],
    ["a missing page", { status: 404, type: "text/plain", body: "no" }, "OUTGOING_STATUS", /404/],
    [
      "an answer with a status that is none",
      {
        status: 500,
        body: envelope("<ok/>"),
      },
      "OUTGOING_STATUS",
      /500/,
    ],
    ["a redirect", { status: 302, body: "" }, "OUTGOING_STATUS", /302/],
    ["a fault without anything", { status: 500, body: fault("") }, "SOAP_FAULT", /unknown/],
    [
      "a fault with status 200",
      {
        body: fault("<faultcode>s:Server</faultcode><faultstring>broken</faultstring>"),
      },
      "SOAP_FAULT",
      /fault Server: broken/,
    ],
  ];
  for (const [name, given, code, reason] of cases) {
    it(name, async () => {
      const error = await refusal(call(given));
      assert.equal(error.code, code, error.message);
      assert.match(error.message, reason);
    });
  }

  it("an answer that is too large", async () => {
    const error = await refusal(
      call({ body: envelope("x".repeat(10_000)) }, { responseBytesMax: 1_000 }),
    );
    assert.equal(error.code, "OUTGOING_REPLY_SIZE");
  });

  it("nothing twice: what failed is not repeated", async () => {
    const before = requests;
    await refusal(call({ status: 503, type: "text/plain", body: "" }));
    assert.equal(requests, before + 1);
    await refusal(call({ status: 503, type: "text/plain", body: "" }, {
      retries: { attempts: 3, firstMs: 1, maxMs: 1 },
    }));
    assert.equal(requests, before + 2);
    await refusal(call({ status: 503, type: "text/plain", body: "" }, {
      retries: { attempts: 3, firstMs: 1, maxMs: 1 },
      idempotent: ["GetCustomer"],
    }));
    assert.equal(requests, before + 5);
  });
});

describe("A SoapOutgoing and its circuit breaker", () => {
  it("goes on calling after faults, and stops after errors of the server", async () => {
    const breaker = { callsMin: 2, failureRatio: 0.5 };
    await using erp = await openSoap({ wsdl, address: peer.url, breaker });
    const code = async () => (await refusal(erp.soap.call("GetCustomer", { id: 1 }))).code;
    answer = { status: 500, body: fault("<faultstring>no such customer</faultstring>") };
    for (let count = 0; count < 5; count++) assert.equal(await code(), "SOAP_FAULT");
    answer = { status: 500, type: "text/plain", body: "broken" };
    const codes = new Set<string>();
    for (let count = 0; count < 20; count++) codes.add(await code());
    assert.deepEqual([...codes], ["OUTGOING_STATUS", "OUTGOING_BREAKER_OPEN"]);
  });
});

describe("A SoapOutgoing that is wrong", () => {
  const cases: readonly (readonly [string, Readonly<Record<string, unknown>>, RegExp])[] = [
    ["a WSDL that is none", { wsdl: "<a/>" }, /no WSDL 1\.1/],
    ["a port that is not there", { port: "Nope" }, /there is no port Nope; there are Customers/],
    ["an operation that is not there", { idempotent: ["Nope"] }, /no operation \\"Nope/],
    ["a header that is no XML", { soapHeaders: ["<a>"] }, /well-formed/],
    ["a certificate that is none", { wssCertificate: "x" }, /not a certificate/],
    ["a key without its certificate", { wssKey: "x" }, /needs its wssCertificate/],
    ["a user name without a password", { wssUsername: "ana" }, /no wssPassword/],
  ];
  for (const [name, spec, reason] of cases) {
    it(`says ${name}`, async () => {
      await assert.rejects(openSoap({ wsdl, address: peer.url, ...spec }), reason);
    });
  }
});

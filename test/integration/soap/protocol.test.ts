import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { WorkerProcess } from "../data-plane/worker-process.ts";
import { envelope, post, sumBody } from "./messages.ts";
import { soapChannel, startOrders } from "./orders.ts";

const soap12 = { "Content-Type": "application/soap+xml; charset=utf-8" };

let worker: WorkerProcess;
before(async () => {
  worker = await startOrders([
    soapChannel("/one", { service: "orders.sum", understands: ["{urn:t}Tenant"] }),
    soapChannel("/off", { active: false }),
    soapChannel("/hidden", { wsdl: "none" }),
    soapChannel("/small", { bodyBytesMax: 300 }),
  ]);
});
after(() => worker[Symbol.asyncDispose]());

describe("A SOAP channel", () => {
  it("answers in the version of the request", async () => {
    const old = await post(worker, "/orders", envelope(sumBody));
    const next = await post(worker, "/orders", envelope(sumBody, { version: "1.2" }), soap12);

    assert.deepEqual([old.status, next.status], [200, 200]);
    assert.equal(old.headers.get("content-type"), "text/xml; charset=utf-8");
    assert.equal(next.headers.get("content-type"), "application/soap+xml; charset=utf-8");
    assert.match(old.text, /schemas\.xmlsoap\.org.*<sum>1<\/sum><count>1<\/count>/);
    assert.match(next.text, /2003\/05\/soap-envelope.*<sum>1<\/sum><count>1<\/count>/);
  });

  it("refuses a version that it does not take", async () => {
    const old = await post(worker, "/orders12", envelope(sumBody));
    const next = await post(worker, "/orders11", envelope(sumBody, { version: "1.2" }), soap12);

    assert.deepEqual([old.status, old.fault], [500, "VersionMismatch"]);
    assert.match(old.text, /<soap:Upgrade><soap:SupportedEnvelope/);
    assert.deepEqual([next.status, next.fault], [500, "VersionMismatch"]);
  });

  it("finds the operation by body, by action, and by action for an empty body", async () => {
    const action = { SOAPAction: '"urn:example:orders#Sum"' };
    const other = "<Anything><numbers>4</numbers><round>true</round></Anything>";
    const empty = { SOAPAction: "urn:example:orders#Headers" };
    const in12 = {
      "Content-Type": 'application/soap+xml; action="urn:example:orders#Sum"; charset=utf-8',
    };

    assert.match((await post(worker, "/orders", envelope(sumBody))).text, /<sum>1</);
    assert.match((await post(worker, "/orders", envelope(other), action)).text, /<sum>4</);
    assert.match((await post(worker, "/orders", envelope(""), empty)).text, /<HeadersResponse/);
    const reply = await post(worker, "/orders", envelope(other, { version: "1.2" }), in12);
    assert.match(reply.text, /<sum>4</);
  });

  it("does not let an action choose another operation than the body", async () => {
    const action = { SOAPAction: "urn:example:orders#Refuse" };

    const { status, fault, text } = await post(worker, "/orders", envelope(sumBody), action);

    assert.deepEqual([status, fault], [500, "Client"]);
    assert.match(text, /<code>SOAP_ACTION_MISMATCH</);
  });

  it("says which operation was meant", async () => {
    const wrong = await post(worker, "/orders", envelope(sumBody.replaceAll("Sum", "Summ")));
    const place = await post(worker, "/orders", envelope(sumBody.replace("urn:example:", "urn:")));

    assert.match(wrong.text, /no operation "\{urn:example:orders\}Summ", did you mean "Sum"/);
    assert.match(place.text, /did you mean the namespace "urn:example:orders"/);
  });

  it("refuses headers that must be understood and are not", async () => {
    const must = (name: string, more = "") =>
      envelope(sumBody, {
        header: `<t:${name} xmlns:t="urn:t" s:mustUnderstand="1"${more}/>`,
      });

    const unknown = await post(worker, "/orders", must("Tenant"));

    assert.deepEqual([unknown.status, unknown.fault], [500, "MustUnderstand"]);
    assert.doesNotMatch(unknown.text, /<detail>/);
    assert.equal((await post(worker, "/orders", must("Tenant", ' s:actor="urn:x"'))).status, 200);
    const known = must("Tenant").replaceAll("Sum", "OrdersSum");
    assert.equal((await post(worker, "/one", known)).status, 200);
    const other = must("Other").replaceAll("Sum", "OrdersSum");
    assert.equal((await post(worker, "/one", other)).fault, "MustUnderstand");
  });

  it("gives services the message's headers, and clients the service's HTTP headers", async () => {
    const header = '<t:Tenant xmlns:t="urn:t">7</t:Tenant>';
    const body = '<Headers xmlns="urn:example:orders"/>';

    const { text, headers } = await post(worker, "/orders", envelope(body, { header }));

    assert.match(text, /<names>urn:t Tenant<\/names>/);
    assert.equal(headers.get("x-answer"), "yes");
  });

  it("has the HTTP status of its binding", async () => {
    const refuse = (how: string) => `<Refuse xmlns="urn:example:orders"><how>${how}</how></Refuse>`;
    const in12 = (how: string) =>
      post(worker, "/orders", envelope(refuse(how), { version: "1.2" }), soap12);

    assert.equal((await post(worker, "/orders", envelope(refuse("caller")))).status, 500);
    assert.equal((await in12("caller")).status, 400);
    assert.equal((await in12("broken")).status, 500);
    const plain = await post(worker, "/orders", envelope(sumBody), {
      "Content-Type": "text/plain",
    });
    assert.deepEqual([plain.status, plain.fault], [415, "Client"]);
    assert.equal((await post(worker, "/small", envelope(" ".repeat(300)))).status, 413);
    assert.equal((await post(worker, "/off", envelope(sumBody))).status, 404);
  });

  it("takes compressed messages", async () => {
    const body = '<Count xmlns="urn:example:orders"><input> a </input></Count>';
    const packed = new Blob([envelope(body)]).stream().pipeThrough(new CompressionStream("gzip"));
    const bytes = new Uint8Array(await new Response(packed).arrayBuffer());

    const { text } = await post(worker, "/orders", bytes, { "Content-Encoding": "gzip" });

    assert.match(text, /<result>1<\/result>/);
  });
});

describe("The WSDL", () => {
  it("names the address as the client reached it", async () => {
    const text = await (await worker.fetch("/orders?wsdl")).text();

    assert.match(text, new RegExp(`location="${worker.url}/orders"`));
    assert.match(text, /<wsdl:documentation>Takes an order &amp; answers it</);
    const proxied = await worker.fetch("/orders?WSDL", {
      headers: { "X-Forwarded-Proto": "https" },
    });
    assert.doesNotMatch(await proxied.text(), /https:\/\//, "a stranger's header counts");
  });

  it("has one type for what input and output share, and both bindings", async () => {
    const text = await (await worker.fetch("/orders?wsdl")).text();

    const names = [...text.matchAll(/<xs:complexType name="(\w+)"/g)].map(([, name]) => name);
    assert.deepEqual(names.filter((name) => /^(Address|Line|Order|Tree)/.test(name ?? "")), [
      "Address",
      "Line",
      "Order",
      "Tree",
    ]);
    assert.equal(text.match(/<wsdl:port /g)?.length, 2);
    assert.match(text, /<xs:enumeration value="wholesale"\/>/);
    assert.match(text, /<xs:attribute name="sku" use="required">/);
  });

  it("is led to by a page, and may be hidden", async () => {
    const page = await worker.fetch("/orders");

    assert.match(await page.text(), /<a href="\?wsdl">WSDL<\/a>.*<code>CreateOrder<\/code>/);
    assert.equal((await worker.fetch("/hidden?wsdl")).status, 405);
    assert.equal(
      (await worker.fetch("/orders", { method: "PUT" })).headers.get("allow") !== null,
      true,
    );
  });

  it("says https behind a trusted proxy", async () => {
    await using proxied = await startTrusting();

    const response = await proxied.fetch("/orders?wsdl", {
      headers: { "X-Forwarded-Proto": "https" },
    });

    assert.match(await response.text(), /location="https:\/\/127\.0\.0\.1:\d+\/orders"/);
  });
});

function startTrusting(): Promise<WorkerProcess> {
  return startOrders([], { trustedProxies: ["127.0.0.1"] });
}

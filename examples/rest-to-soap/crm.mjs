// The other system: a CRM of the year 2004 that speaks SOAP and nothing else.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";

const customers = new Map([["17", { name: "Ana Bauer", orders: [["A-1", 1250], ["A-2", 300]] }]]);

createServer(async (request, response) => {
  if (request.method === "GET") return response.end(readFileSync("objects/crm.wsdl"));
  let text = "";
  for await (const chunk of request) text += chunk;
  const number = /CustomerNo>\s*(\d+)\s*</.exec(text)?.[1] ?? "";
  const customer = customers.get(number);
  const orders = (customer?.orders ?? []).map(([no, cents]) =>
    `<c:Order><c:No>${no}</c:No><c:Cents>${cents}</c:Cents></c:Order>`
  );
  const body = customer === undefined
    ? `<s:Fault><faultcode>s:Client</faultcode><faultstring>No customer ${number}</faultstring></s:Fault>`
    : `<c:GetCustomerResponse xmlns:c="urn:example:crm"><c:CustomerNo>${number}</c:CustomerNo>` +
      `<c:FullName>${customer.name}</c:FullName><c:Blocked>false</c:Blocked>${orders.join("")}` +
      "</c:GetCustomerResponse>";
  response.writeHead(customer === undefined ? 500 : 200, { "Content-Type": "text/xml" });
  response.end(
    `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>${body}</s:Body></s:Envelope>`,
  );
}).listen(9201, "127.0.0.1", () => console.log("The CRM is there"));

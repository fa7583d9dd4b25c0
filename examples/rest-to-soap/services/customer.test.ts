import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createTestKit, soapFault } from "dragoman/testing";
import { customer } from "./customer.ts";

describe("crm.customer.get", () => {
  it("translates", async () => {
    const kit = createTestKit({
      soap: {
        crm: {
          GetCustomer: {
            CustomerNo: 17,
            FullName: "Ana Bauer",
            Blocked: false,
            Order: [{ No: "A-1", Cents: 1250 }],
          },
        },
      },
    });
    const { output } = await kit.run(customer, { id: 17 });

    assert.deepEqual(output, {
      id: 17,
      name: "Ana Bauer",
      orders: [{ number: "A-1", cents: 1250 }],
    });
    assert.deepEqual(kit.soap("crm").calls[0]?.input, { CustomerNo: 17 });
  });

  it("says 404 of a customer that the CRM does not know, and no other fault", async () => {
    const kit = createTestKit();
    kit.soap("crm").on("GetCustomer", () => {
      throw soapFault({ code: "Client", reason: "No customer 18" });
    });
    assert.equal((await kit.fails(customer, { id: 18 })).status, 404);

    kit.soap("crm").on("GetCustomer", () => {
      throw soapFault({ code: "Server", reason: "Out of tape" });
    });
    assert.equal((await kit.fails(customer, { id: 18 })).code, "SOAP_FAULT");
  });
});

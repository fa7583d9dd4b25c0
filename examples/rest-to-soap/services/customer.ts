import { defineService, ServiceError, z } from "dragoman";

/** What the CRM answers, as far as we need it. */
const crmCustomer = z.object({
  CustomerNo: z.int(),
  FullName: z.string(),
  Order: z.array(z.object({ No: z.string(), Cents: z.int() })).default([]),
});

/** A customer as the rest of the company knows it: JSON, and words of this century. */
export const customer = defineService({
  name: "crm.customer.get",
  description: "A customer of the CRM",
  input: z.object({ id: z.int().min(1) }),
  output: z.object({
    id: z.int(),
    name: z.string(),
    orders: z.array(z.object({ number: z.string(), cents: z.int() })),
  }),
  async handle({ input, out }) {
    const answer = await out.soap("crm").call("GetCustomer", { CustomerNo: input.id })
      .catch((error: unknown) => {
        throw isUnknown(error) ? new ServiceError(404, `There is no customer ${input.id}`) : error;
      });
    const { CustomerNo, FullName, Order } = crmCustomer.parse(answer);
    const orders = Order.map(({ No, Cents }) => ({ number: No, cents: Cents }));
    return { id: CustomerNo, name: FullName, orders };
  },
});

/** The CRM says that it does not know a customer with a fault. */
function isUnknown(error: unknown): boolean {
  if (!(error instanceof Error) || !("code" in error) || !("details" in error)) return false;
  const fault = z.object({ reason: z.string() }).safeParse(error.details);
  return error.code === "SOAP_FAULT" && fault.data?.reason.startsWith("No customer") === true;
}

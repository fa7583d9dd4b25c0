import { Buffer } from "node:buffer";
import { createHmac, timingSafeEqual } from "node:crypto";
import { defineService, type ServiceContext, ServiceError, z } from "dragoman";

/** How far the sender's clock may be off, and how long an id is remembered. */
const windowMs = 5 * 60_000;

/** What the sender tells us about. */
const event = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("order.paid"),
    data: z.object({ order: z.string().min(1), cents: z.int().min(0) }),
  }),
]);

/** Does the work. It may run twice for one event: what it does must bear that. */
export const orderPaid = defineService({
  name: "shop.order.paid",
  description: "Books the payment of an order",
  input: z.object({ order: z.string().min(1), cents: z.int().min(0) }),
  handle({ input, log }) {
    log.info("Order paid", { order: input.order, cents: input.cents });
    return { order: input.order, isPaid: true };
  },
});

/**
 * Takes events of a shop, signed as https://www.standardwebhooks.com says: an HMAC over id, time
 * and body. Answers when the work is on disk, and does it afterwards.
 */
export const receive = defineService({
  name: "webhooks.receive",
  description: "Takes signed events of the shop",
  rawBody: true, // the signature is over the bytes as they came
  // No `input`: nothing is looked at before the signature is right.
  async handle(ctx) {
    const { input, request: { headers }, kvdb, invokeAsync, log } = ctx;
    const id = headers.get("webhook-id") ?? "";
    requireSignature(ctx, id);

    const parsed = event.safeParse(input);
    if (!parsed.success) throw new ServiceError(400, z.prettifyError(parsed.error));

    // Whoever listens in cannot send it again, and a sender that tries twice is heard once.
    const key = `webhook:${id}`;
    if (!await kvdb.setIfAbsent(key, "seen", { ttlMs: 2 * windowMs })) {
      log.info("Event came before", { id });
      return { accepted: false };
    }
    try {
      await invokeAsync(orderPaid, parsed.data.data);
    } catch (error) {
      await kvdb.delete(key); // it is to be tried again
      throw error;
    }
    return { accepted: true };
  },
});

function requireSignature({ request, config, time, log }: ServiceContext, id: string): void {
  const { secret = "" } = config("webhooks");
  const sentAt = request.headers.get("webhook-timestamp") ?? "";
  const signed = createHmac("sha256", secret).update(`${id}.${sentAt}.`).update(request.rawBody);
  const expected = signed.digest();
  // Several, while the sender changes its secret: "v1,aaa= v1,bbb=".
  const given = (request.headers.get("webhook-signature") ?? "").split(" ")
    .filter((one) => one.startsWith("v1,"))
    .map((one) => new Uint8Array(Buffer.from(one.slice(3), "base64")));
  const isSigned = id !== "" && secret !== "" &&
    given.some((one) => one.length === expected.length && timingSafeEqual(one, expected));
  const isCurrent = Math.abs(time.now().getTime() - Number(sentAt) * 1_000) <= windowMs;
  if (isSigned && isCurrent) return;
  // The log says why; the sender is told nothing.
  log.warn("Event refused", { id, isSigned, isCurrent });
  throw new ServiceError(401, "The signature is not right");
}

/** What the channels of these tests are made of, as a bundle for a worker. */
export const services = `
export const echo = defineService({
  name: "echo",
  input: z.object({ text: z.string().max(1_000_000) }),
  output: z.object({ text: z.string() }),
  handle: ({ input }) => ({ text: input.text }),
});
export const about = defineService({
  name: "about",
  rawBody: true,
  handle: ({ request }) => ({
    cid: request.cid,
    channel: request.channel,
    principal: request.principal,
    method: request.method,
    path: request.path,
    params: request.params,
    query: request.query.toString(),
    agent: request.headers.get("x-agent"),
    connection: request.connection,
    remoteAddress: request.remoteAddress,
    raw: Buffer.from(request.rawBody).toString(),
  }),
});
export const say = defineService({
  name: "say",
  handle: async ({ input, push, request }) => {
    await push(request.channel.name === "invoke" ? input.channel : request.channel.name)
      .send(input.data, input.to ?? {});
  },
});
let hold = Promise.withResolvers();
export const slow = defineService({
  name: "slow",
  handle: async ({ input, signal }) => {
    const { promise, resolve } = Promise.withResolvers();
    signal.addEventListener("abort", () => resolve("aborted: " + signal.reason.code));
    console.log("slow began");
    const how = await Promise.race([hold.promise, promise]);
    console.log("slow ended: " + how);
    return { how };
  },
});
export const release = defineService({
  name: "release",
  handle: () => { hold.resolve("released"); hold = Promise.withResolvers(); },
});
export const broken = defineService({
  name: "broken",
  handle: () => { throw new Error("the database password is tiger"); },
});
export const refuse = defineService({
  name: "refuse",
  handle: () => { throw new ServiceError(409, "Not today", { details: { day: 7 } }); },
});
export const odd = defineService({ name: "odd", handle: () => new Map() });
export const secret = defineService({ name: "secret", handle: () => "nobody may call me" });
export const mayJoin = defineService({
  name: "may-join",
  handle: ({ input, request }) => input.topic === "room." + request.params.room,
});
export const gate = defineService({
  name: "gate",
  handle: ({ request }) => {
    if (request.query.get("banned") === "yes") throw new ServiceError(403, "You are banned");
    if (request.query.get("broken") === "yes") throw new Error("oops");
    return { topics: ["lobby"] };
  },
});
export const bye = defineService({
  name: "bye",
  handle: ({ input }) => console.log("bye " + JSON.stringify(input)),
});
`;

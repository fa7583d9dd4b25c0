import { defineService, ServiceError, z } from "dragoman";

/** What everybody in a room gets; `from` is missing where the house speaks. */
interface Line {
  readonly from?: string;
  readonly text: string;
}

const topicOf = (room: string | undefined) => `room.${room}`;

/** Asked before somebody is let into a room: they must say a name, and then hear what is said. */
export const enter = defineService({
  name: "chat.enter",
  description: "Lets somebody into a room",
  input: z.object({ connection: z.string() }),
  output: z.object({ topics: z.array(z.string()) }),
  async handle({ request, push }) {
    const name = request.query.get("name")?.trim() ?? "";
    if (!/^[\p{L}\p{N} .-]{1,30}$/u.test(name)) throw new ServiceError(400, "Say your name");
    const topic = topicOf(request.params["room"]);
    await push("chat").send({ text: `${name} comes in` } satisfies Line, { topic });
    return { topics: [topic] };
  },
});

/** One line, for everybody in the room, whichever server they are connected to. */
export const say = defineService({
  name: "chat.say",
  description: "Says something in a room",
  input: z.object({ text: z.string().trim().min(1).max(500) }),
  async handle({ input, request, push }) {
    const from = request.query.get("name")!.trim(); // chat.enter wants one
    const topic = topicOf(request.params["room"]);
    await push("chat").send({ from, text: input.text } satisfies Line, { topic });
  },
});

/** Called when somebody has gone, however they went. */
export const leave = defineService({
  name: "chat.leave",
  description: "Tells a room that somebody has gone",
  async handle({ request, push }) {
    const name = request.query.get("name")!.trim(); // chat.enter wants one
    const topic = topicOf(request.params["room"]);
    await push("chat").send({ text: `${name} leaves` } satisfies Line, { topic });
  },
});

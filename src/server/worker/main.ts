/**
 * The process that a server's supervisor forks for traffic. They speak `protocol.ts` over the
 * message channel. It ends with 0 after a drain, with 1 when it cannot go on, and drains by itself
 * when the supervisor is gone, so that a restarted one finds the port free.
 */
import { reasonOf } from "../../errors/platform-error.ts";
import { createLogger, type Logger } from "../../telemetry/logger.ts";
import type { FromWorker, InitMessage, PushMessage, ReplyMessage, ToWorker } from "./protocol.ts";
import { SupervisorLink } from "./supervisor-link.ts";
import { Worker } from "./worker.ts";

const heartbeatMs = 1_000;
/** For requests in flight when nobody is left who could say how long they may take. */
const orphanDrainMs = 5_000;

let logger: Logger = createLogger();
const link = new SupervisorLink(send);
let worker: Worker | undefined;
/** Messages that change something are carried out one after the other. */
let queue: Promise<void> = Promise.resolve();
let isDraining = false;

function send(message: FromWorker): void {
  // Without a channel there is nobody to tell; "disconnect" ends the process.
  if (process.connected) process.send?.(message);
}

function start(init: InitMessage): void {
  const context = { server: init.server, worker: init.workerId };
  logger = createLogger({ level: init.logLevel, context });
  worker = new Worker(init, { logger, link });
  setInterval(() => worker && send(worker.heartbeat()), heartbeatMs).unref();
}

async function take(message: Exclude<ToWorker, ReplyMessage | PushMessage>): Promise<void> {
  if (message.type === "init") return start(message);
  if (worker === undefined) throw new Error(`"${message.type}" came before "init"`);
  switch (message.type) {
    case "configure":
      return send(await worker.configure(message));
    case "invoke":
      return send(await worker.invoke(message));
    case "abort":
      return worker.abort(message.id);
    case "ask":
      return send(await worker.answer(message));
    case "hopKeys":
      return worker.useHopKeys(message.keys);
    case "drain":
      return await drain(message.timeoutMs, message.isHandover);
  }
}

async function drain(timeoutMs: number, isHandover = false): Promise<void> {
  if (isDraining) return;
  isDraining = true;
  const onClosed = () => send({ type: "closed" });
  const abandoned = (await worker?.drain({ timeoutMs, isHandover }, onClosed)) ?? 0;
  logger.info("Drained", { abandoned });
  send({ type: "drained", abandoned });
  // The channel is asynchronous: closing it waits for what was sent.
  if (!process.connected) process.exit(0);
  process.once("disconnect", () => process.exit(0));
  process.disconnect?.();
}

function fail(error: unknown): never {
  if (worker === undefined) logger.error("Cannot go on", { error });
  else worker.reportUncaught(error);
  process.exit(1);
}

process.on("message", (message: ToWorker) => {
  // A configuration may itself wait for a reply.
  if (message.type === "reply") link.settle(message);
  else if (message.type === "push") worker?.takePush(message.text);
  else if (message.type === "configure" || message.type === "init") {
    queue = queue.then(() => take(message)).catch((error) => {
      logger.error("Cannot go on", { error, reason: reasonOf(error) });
      process.exit(1);
    });
  } else {
    // Invocations and drains do not wait for one another, only for the configuration before them.
    void queue.then(() => take(message)).catch(fail);
  }
});
process.on("disconnect", () => {
  link.abandon();
  void drain(orphanDrainMs);
});
process.on("SIGTERM", () => void drain(orphanDrainMs));
// A terminal sends it to the whole group: the supervisor is the one who acts on it.
process.on("SIGINT", () => {});
process.on("unhandledRejection", (error) => {
  if (worker === undefined) logger.error("Unhandled rejection", { error });
  else worker.reportUnhandled(error);
});
process.on("uncaughtException", fail);

send({ type: "booted" });

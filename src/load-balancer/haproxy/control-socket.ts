import { connect, type Socket } from "node:net";
import { PlatformError, reasonOf } from "../../errors/platform-error.ts";
import { withTimeout } from "../../lib/wait.ts";

/** HAProxy answers in well under a millisecond; what takes this long is stuck. */
const timeoutMs = 2_000;

/** Stands at the end of every answer once the socket was told to `prompt`. */
const promptEnd = "\n> ";

/**
 * Sends one command to HAProxy's control socket and returns its answer without blanks around it.
 * The caller makes sure that `command` is one line. Throws BALANCER_RUNTIME when HAProxy is not
 * there or does not answer within 2 s.
 */
export async function sendCommand(path: string, command: string): Promise<string> {
  const socket = connect({ path });
  try {
    const answer = readAll(socket);
    socket.write(`${command}\n`);
    return (await withTimeout(answer, timeoutMs, noAnswer)).trim();
  } catch (error) {
    throw new PlatformError("BALANCER_RUNTIME", { command, reason: reasonOf(error) }, {
      cause: error,
    });
  } finally {
    socket.destroy();
  }
}

/**
 * A connection that stays open, because HAProxy takes no new ones once it was told to stop.
 * Close it, or HAProxy waits for it.
 */
export interface ControlSession {
  send(command: string): Promise<string>;
  close(): void;
}

export async function openControlSession(path: string): Promise<ControlSession> {
  const socket = connect({ path });
  const send = async (command: string) => {
    const answer = readUntilPrompt(socket);
    socket.write(`${command}\n`);
    return (await withTimeout(answer, timeoutMs, noAnswer)).trim();
  };
  try {
    await send("prompt");
    await send("set timeout cli 3600");
  } catch (error) {
    socket.destroy();
    throw error;
  }
  return { send, close: () => socket.destroy() };
}

function noAnswer(): Error {
  return new Error(`no answer within ${timeoutMs} ms`);
}

function readAll(socket: Socket): Promise<string> {
  return read(socket, () => false);
}

function readUntilPrompt(socket: Socket): Promise<string> {
  return read(socket, (text) => text.endsWith(promptEnd));
}

function read(socket: Socket, isComplete: (text: string) => boolean): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const decoder = new TextDecoder();
    const settle = (finish: () => void) => {
      socket.off("data", onData);
      socket.off("end", onEnd);
      socket.off("error", onError);
      finish();
    };
    const onData = (chunk: Uint8Array) => {
      text += decoder.decode(chunk, { stream: true });
      if (isComplete(text)) settle(() => resolve(text.slice(0, -promptEnd.length)));
    };
    const onEnd = () => settle(() => resolve(text));
    const onError = (error: Error) => settle(() => reject(error));
    socket.on("data", onData);
    socket.on("end", onEnd);
    socket.on("error", onError);
  });
}

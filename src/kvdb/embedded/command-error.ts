/** A request that is answered with an error; `message` is the reply, code first. */
export class CommandError extends Error {
  override readonly name = "CommandError";
}

export const syntaxError = "ERR syntax error";
export const wrongType = "WRONGTYPE Operation against a key holding the wrong kind of value";
export const notAnInteger = "ERR value is not an integer or out of range";
export const notAFloat = "ERR value is not a valid float";
export const noSuchKey = "ERR no such key";

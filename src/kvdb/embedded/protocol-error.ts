/** What a client sent is no request; the connection cannot go on after it. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
}

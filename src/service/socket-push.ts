/** Messages to the clients of WebSocket channels, on whatever server they are connected. */
export interface SocketPush {
  /**
   * Sends to every client of the channel that matches. Best effort: a client that is not connected
   * now never gets it. Resolves when it has been handed to every server that can be reached.
   */
  send(channel: string, message: unknown, to: PushTarget): Promise<void>;
}

/** Without any field: everybody. */
export interface PushTarget {
  /** Id of one connection: `ctx.request.connection`. */
  readonly connection?: string;
  /** Clients that were let in by this security definition. */
  readonly principal?: string;
  /** Clients whose token or certificate names this subject. */
  readonly subject?: string;
  /** Connections that joined this topic. */
  readonly topic?: string;
}

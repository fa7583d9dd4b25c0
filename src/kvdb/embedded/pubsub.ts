import { matchesGlob } from "./data/glob.ts";
import { bulk } from "./replies.ts";
import type { Session } from "./session.ts";

/** Who listens to which channels and patterns. */
export class PubSub {
  readonly #channels = new Map<string, Set<Session>>();
  readonly #patterns = new Map<string, Set<Session>>();

  get channelNames(): string[] {
    return [...this.#channels.keys()];
  }

  get patternCount(): number {
    return this.#patterns.size;
  }

  subscriberCount(channel: string): number {
    return this.#channels.get(channel)?.size ?? 0;
  }

  subscribe(session: Session, channel: string): void {
    session.channels.add(channel);
    add(this.#channels, channel, session);
  }

  unsubscribe(session: Session, channel: string): void {
    session.channels.delete(channel);
    remove(this.#channels, channel, session);
  }

  subscribePattern(session: Session, pattern: string): void {
    session.patterns.add(pattern);
    add(this.#patterns, pattern, session);
  }

  unsubscribePattern(session: Session, pattern: string): void {
    session.patterns.delete(pattern);
    remove(this.#patterns, pattern, session);
  }

  /** Forgets a session that is gone. */
  leave(session: Session): void {
    for (const channel of session.channels) this.unsubscribe(session, channel);
    for (const pattern of session.patterns) this.unsubscribePattern(session, pattern);
  }

  /** Sends to everyone who listens; the number of messages sent. */
  publish(channel: string, message: string): number {
    let count = 0;
    for (const session of this.#channels.get(channel) ?? []) {
      const parts = [bulk("message"), bulk(channel), bulk(message)];
      session.peer.send(session.reply.push(parts));
      count++;
    }
    for (const [pattern, sessions] of this.#patterns) {
      if (!matchesGlob(pattern, channel)) continue;
      for (const session of sessions) {
        const parts = [bulk("pmessage"), bulk(pattern), bulk(channel), bulk(message)];
        session.peer.send(session.reply.push(parts));
        count++;
      }
    }
    return count;
  }
}

function add(listeners: Map<string, Set<Session>>, name: string, session: Session): void {
  const sessions = listeners.get(name) ?? new Set();
  listeners.set(name, sessions.add(session));
}

function remove(listeners: Map<string, Set<Session>>, name: string, session: Session): void {
  const sessions = listeners.get(name);
  if (sessions?.delete(session) && sessions.size === 0) listeners.delete(name);
}

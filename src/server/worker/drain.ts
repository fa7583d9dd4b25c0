import { delay, poll } from "../../lib/wait.ts";
import type { HttpEngine } from "../http/engine.ts";
import type { HttpFront } from "../http/front.ts";
import type { ClusterPush } from "./facilities/cluster-push.ts";

/**
 * Longest time for which a draining process still takes new connections: enough for a balancer
 * that looks once a second and wants to see it twice.
 */
const lingerMaxMs = 3_000;
/** How often it is looked whether requests still come. */
const lookMs = 20;
/** So many looks in a row without a new request, and nobody sends any more. */
const quietLooks = 10;

/** What a process serves clients with. */
export interface Traffic {
  readonly front: HttpFront;
  readonly engine: HttpEngine | undefined;
  readonly sockets: Pick<ClusterPush, "drain">;
  /** Called when no request can come any more. */
  readonly onClosed: () => void;
}

/**
 * Ends a process's traffic without losing a request, and says how many it had to abandon.
 * 1. `readyz` says 503 and every answer ends its connection, but everything is still answered:
 *    balancers need a moment to look, and connections waiting in the accept queue would be reset.
 *    In a handover `readyz` stays as it is: new connections find the other process more and more.
 * 2. When no request has come for a moment, or after three seconds: no new connections.
 * 3. Clients that stay connected are sent away once their messages are answered.
 * 4. What is in flight gets the rest of `timeoutMs`.
 */
export async function drainTraffic(
  { front, engine, sockets, onClosed }: Traffic,
  { timeoutMs, isHandover }: { readonly timeoutMs: number; readonly isHandover: boolean },
): Promise<number> {
  const endsAt = performance.now() + timeoutMs;
  front.beginDrain({ isHandover });
  await becomeQuiet(front, Math.min(lingerMaxMs, timeoutMs / 2));
  // Before the engine: closing it cuts connections that are sockets.
  const unanswered = await sockets.drain(Math.max(0, endsAt - performance.now()));
  const closed = engine?.close() ?? Promise.resolve();
  onClosed();
  const done = front.idle().then(() => closed);
  const stop = new AbortController();
  const restMs = Math.max(0, endsAt - performance.now());
  // Aborting the wait is how it ends when everything was done in time.
  const timeOver = delay(restMs, { signal: stop.signal }).catch(() => {});
  await Promise.race([done, timeOver]);
  stop.abort();
  return front.inFlight + unanswered;
}

/**
 * A process that was held up, by its own services or by others on the machine, has not read what
 * was sent to it meanwhile: such a look proves nothing, and the counting begins again.
 */
async function becomeQuiet(front: HttpFront, timeoutMs: number): Promise<void> {
  let seen = -1;
  let quiet = 0;
  let lookedAt = performance.now();
  await poll(() => {
    const now = performance.now();
    const isOnTime = now - lookedAt < lookMs * 2;
    lookedAt = now;
    const begun = front.requestsTotal + front.inFlight;
    quiet = isOnTime && begun === seen ? quiet + 1 : 0;
    seen = begun;
    return quiet >= quietLooks ? true : undefined;
  }, { timeoutMs, intervalMs: lookMs });
}

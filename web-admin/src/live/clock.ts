import { useSyncExternalStore } from "react";

let skewMs = 0;
let now = Date.now();
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

/** Tells the clock what time it is where the data comes from, so that ages are right. */
export function setServerTime(iso: string): void {
  skewMs = Date.parse(iso) - Date.now();
}

/** The server's time in milliseconds since 1970, once a second, the same for the whole page. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => now);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  if (timer === undefined) {
    now = Date.now() + skewMs;
    timer = setInterval(tick, 1_000);
  }
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

function tick(): void {
  now = Date.now() + skewMs;
  for (const listener of listeners) listener();
}

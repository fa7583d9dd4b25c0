import { useEffect } from "react";
import { loadSession } from "../session.ts";

const everyMs = 60_000;

/**
 * Tells the server, at most once a minute, that a person uses the page. The stream alone does not
 * count, so that a screen somebody left behind logs itself out.
 */
export function useSignsOfLife(): void {
  useEffect(() => {
    let lastAt = Date.now();
    const onUse = () => {
      if (Date.now() - lastAt < everyMs) return;
      lastAt = Date.now();
      loadSession().catch(() => {}); // the stream notices a console that is gone, and says so
    };
    const ended = new AbortController();
    for (const type of ["pointerdown", "keydown", "wheel"]) {
      addEventListener(type, onUse, { signal: ended.signal, passive: true });
    }
    return () => ended.abort();
  }, []);
}

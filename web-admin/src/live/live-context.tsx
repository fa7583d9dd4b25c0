import { createContext, type ReactNode, useContext, useEffect, useState } from "react";
import { useSyncExternalStore } from "react";
import { type LiveState, OverviewStream } from "./overview-stream.ts";

interface Live {
  readonly state: LiveState;
  readonly togglePause: () => void;
}

const LiveContext = createContext<Live | null>(null);

/** Keeps one cluster's overview live for everything inside. */
export function LiveProvider(
  { cluster, onSessionEnd, children }: {
    readonly cluster: string;
    readonly onSessionEnd: () => void;
    readonly children: ReactNode;
  },
) {
  const [stream] = useState(() => new OverviewStream(cluster, { onSessionEnd }));
  const state = useSyncExternalStore(stream.subscribe, stream.getState);
  useEffect(() => stream.start(), [stream]);
  const togglePause = () => stream.togglePause();
  return <LiveContext value={{ state, togglePause }}>{children}</LiveContext>;
}

export function useLive(): Live {
  const live = useContext(LiveContext);
  if (live === null) throw new Error("useLive is used outside of LiveProvider");
  return live;
}

import { UnstyledButton } from "@mantine/core";
import { IconPlayerPause, IconPlayerPlay } from "@tabler/icons-react";
import { formatAge, formatTime } from "../format.ts";
import { useNow } from "../live/clock.ts";
import { useLive } from "../live/live-context.tsx";
import type { Phase } from "../live/overview-stream.ts";
import styles from "./live-indicator.module.css";

const words: Record<Phase, string> = {
  connecting: "Connecting",
  live: "Live",
  broken: "Not live",
  paused: "Paused",
  refused: "Not live",
};

/** Says whether the page shows how things are now, and pauses it. */
export function LiveIndicator() {
  const { state: { phase }, togglePause } = useLive();
  const isPaused = phase === "paused";
  const action = isPaused ? "Go on" : "Pause";
  return (
    <UnstyledButton
      className={styles["button"] ?? ""}
      data-phase={phase}
      onClick={togglePause}
      title={`${action} live updates`}
      disabled={phase === "refused"}
    >
      <span className={styles["dot"]} aria-hidden />
      <span>{words[phase]}</span>
      {isPaused
        ? <IconPlayerPlay size={14} aria-hidden />
        : <IconPlayerPause size={14} aria-hidden />}
      <span className="visually-hidden">, {action.toLowerCase()} live updates</span>
    </UnstyledButton>
  );
}

/** While the page is not live: since when, and that what it shows is old. */
export function LiveBanner() {
  const { state: { phase, since } } = useLive();
  if (phase !== "broken" && phase !== "paused") return null;
  return (
    <div className={styles["banner"]} data-phase={phase}>
      <span role="status">
        {phase === "paused" ? "Paused" : "No live data"} since {formatTime(since)}.
      </span>{" "}
      What you see is <Age since={since} /> old
      {phase === "paused" ? "." : "; the console tries to connect again."}
    </div>
  );
}

function Age({ since }: { readonly since: number }) {
  useNow(); // only to be drawn every second: the phase began by the clock of this browser
  return formatAge(Date.now() - since);
}

import type { ReactNode } from "react";
import type { Health } from "../../shared/overview.ts";
import { HealthMark } from "./health-mark.tsx";
import styles from "./state-word.module.css";

/** A mark and a word, for tables. */
export function StateWord(
  { health, children }: { readonly health: Health; readonly children: ReactNode },
) {
  return (
    <span className={styles["word"]} data-health={health}>
      <HealthMark health={health} size={12} />
      <span>{children}</span>
    </span>
  );
}

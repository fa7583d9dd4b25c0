import type { ReactNode } from "react";
import type { Health } from "../../shared/overview.ts";
import { HealthMark } from "./health-mark.tsx";
import styles from "./panel.module.css";

/** A part of the page: heading with its health, a short fact on the right, content. */
export function Panel(
  { id, title, health, state, aside, children }: {
    readonly id: string;
    readonly title: string;
    readonly health: Health;
    /** In words, beside the title: `up 3 h`. */
    readonly state: ReactNode;
    readonly aside?: ReactNode;
    readonly children: ReactNode;
  },
) {
  return (
    <section
      className={styles["panel"]}
      id={id}
      tabIndex={-1}
      data-health={health}
      aria-labelledby={`${id}-title`}
    >
      <header className={styles["head"]}>
        <HealthMark health={health} />
        <h3 id={`${id}-title`}>{title}</h3>
        <span className={styles["state"]}>{state}</span>
        {aside !== undefined && <span className={styles["aside"]}>{aside}</span>}
      </header>
      {children}
    </section>
  );
}

/** Why a part is not well. */
export function Reason({ children }: { readonly children: ReactNode }) {
  return <p className={styles["reason"]}>{children}</p>;
}

/** Name and value pairs in a row that wraps. */
export function Facts({ children }: { readonly children: ReactNode }) {
  return <dl className={styles["facts"]}>{children}</dl>;
}

export function Fact(
  { name, title, children }: {
    readonly name: string;
    readonly title?: string | undefined;
    readonly children: ReactNode;
  },
) {
  return (
    <div>
      <dt>{name}</dt>
      <dd title={title}>{children}</dd>
    </div>
  );
}

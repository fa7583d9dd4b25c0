import type { AttentionItem, Overview } from "../../shared/overview.ts";
import { HealthMark } from "../ui/health-mark.tsx";
import { Since } from "../ui/since.tsx";
import styles from "./verdict.module.css";

/** Whether anything needs a human, in a sentence, and what. Empty when all is well. */
export function VerdictPanel(
  { overview: { verdict, attention } }: { readonly overview: Overview },
) {
  return (
    <section className={styles["panel"]} data-health={verdict.health} aria-label="Verdict">
      <div className={styles["sentence"]} role="status">
        <HealthMark health={verdict.health} size={26} />
        <div>
          <h1>{verdict.sentence}</h1>
          {verdict.impact !== verdict.sentence && <p>{verdict.impact}</p>}
        </div>
      </div>
      {attention.length > 0 && (
        <ul className={styles["list"]} aria-label="Needs attention">
          {attention.map((item) => <Item key={item.id} item={item} />)}
        </ul>
      )}
    </section>
  );
}

function Item({ item: { health, what, why, since, target } }: { readonly item: AttentionItem }) {
  return (
    <li data-health={health}>
      <HealthMark health={health} label={health === "bad" ? "Failure" : "Warning"} />
      <div className={styles["words"]}>
        <a href={target.startsWith("/") ? target : `#${target}`}>{what}</a>
        {why !== null && <span>{why}</span>}
      </div>
      <span className={styles["since"]}>
        <Since iso={since} prefix="for " />
      </span>
    </li>
  );
}

import { formatRate } from "../format.ts";
import styles from "./sparkline.module.css";

const width = 132;
const height = 26;
/** One point a second. */
const points = 120;

/** The last two minutes of a rate. It begins empty: the console keeps no history. */
export function Sparkline(
  { values, label }: { readonly values: readonly (number | null)[]; readonly label: string },
) {
  return (
    <span className={styles["sparkline"]}>
      <svg role="img" aria-label={`${label}, last two minutes`} width={width} height={height}>
        <line x1={0} x2={width} y1={height - 1} y2={height - 1} className={styles["base"]} />
        <path d={curveOf(values)} className={styles["curve"]} />
      </svg>
      <span>
        <b>{formatRate(values.at(-1) ?? null)}</b> {label}
      </span>
    </span>
  );
}

/** A line that breaks where nothing was known. */
function curveOf(values: readonly (number | null)[]): string {
  const top = 1.2 * Math.max(1, ...values.map((value) => value ?? 0));
  const step = width / (points - 1);
  const left = width - (values.length - 1) * step;
  return values.map((value, index) => {
    if (value === null) return "";
    const isStart = (values[index - 1] ?? null) === null;
    const y = height - 2 - (value / top) * (height - 4);
    return `${isStart ? "M" : "L"}${(left + index * step).toFixed(1)} ${y.toFixed(1)}`;
  }).join("");
}

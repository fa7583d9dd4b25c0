import type { Health } from "../../shared/overview.ts";

/** Each health has a shape of its own, so that it is told without colour too. */
const shapes: Record<Health, { readonly body: string; readonly sign: string }> = {
  good: {
    body: "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Z",
    sign: "m4.900 8.300 2.100 2.100 4.200-4.600",
  },
  warning: {
    body:
      "M6.900 1.900a1.300 1.300 0 0 1 2.200 0l6 11a1.300 1.300 0 0 1-1.100 1.900H2a1.300 1.300 0 0 1-1.100-1.900Z",
    sign: "M8 5.800v3.400M8 11.700v.1",
  },
  bad: {
    body: "M5 1h6l4 4v6l-4 4H5l-4-4V5Z",
    sign: "m5.500 5.500 5 5m0-5-5 5",
  },
  unknown: {
    body: "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Z",
    sign: "M5 8h6",
  },
};

/** How well something is. `label` is read aloud; leave it out where the text beside says it. */
export function HealthMark(
  { health, size = 16, x, y, label }: {
    readonly health: Health;
    readonly size?: number;
    /** Place inside another SVG. */
    readonly x?: number;
    readonly y?: number;
    readonly label?: string;
  },
) {
  const { body, sign } = shapes[health];
  const accessible = label === undefined
    ? { "aria-hidden": true }
    : { role: "img", "aria-label": label };
  return (
    <svg
      {...accessible}
      x={x}
      y={y}
      width={size}
      height={size}
      viewBox="0 0 16 16"
      data-health={health}
      style={{ flex: "none" }}
    >
      <path d={body} fill="var(--health)" />
      <path
        d={sign}
        fill="none"
        stroke="var(--surface)"
        strokeWidth={1.800}
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  );
}

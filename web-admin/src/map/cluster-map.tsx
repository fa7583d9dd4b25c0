import { useElementSize } from "@mantine/hooks";
import type { Overview } from "../../shared/overview.ts";
import { formatRate } from "../format.ts";
import { HealthMark } from "../ui/health-mark.tsx";
import styles from "./cluster-map.module.css";
import { layoutMap, type MapEdge, type MapNode } from "./layout.ts";

const workersShownMax = 16;

/** The cluster as a picture that is made from what runs; each box leads to its part of the page. */
export function ClusterMap({ overview }: { readonly overview: Overview }) {
  const { ref, width } = useElementSize();
  const map = width === 0 ? null : layoutMap(overview, width);
  return (
    <div ref={ref} className={styles["frame"]}>
      {map !== null && (
        <svg
          role="group"
          aria-label="Map of the cluster"
          width={map.width}
          height={map.height}
          viewBox={`0 0 ${map.width} ${map.height}`}
        >
          {map.edges.map((edge) => <EdgeLine key={edge.id} edge={edge} />)}
          {map.nodes.map((node) => <NodeBox key={node.id} node={node} />)}
          {map.edges.map((edge) => <EdgeRate key={edge.id} edge={edge} />)}
        </svg>
      )}
    </div>
  );
}

function EdgeLine({ edge: { path, health, rate } }: { readonly edge: MapEdge }) {
  const width = 1.5 + Math.min(4, Math.log10(1 + (rate ?? 0)));
  return <path className={styles["edge"]} d={path} data-health={health} strokeWidth={width} />;
}

function EdgeRate({ edge: { label, rate, health } }: { readonly edge: MapEdge }) {
  if (label === null || rate === null) return null;
  const text = `${formatRate(rate)}/s`;
  const width = 14 + text.length * 6.4;
  return (
    <g data-health={health} transform={`translate(${label.x} ${label.y})`}>
      <rect className={styles["pill"]} x={-width / 2} y={-10} width={width} height={20} rx={10} />
      <text className={styles["rate"]} textAnchor="middle" y={4}>{text}</text>
    </g>
  );
}

function NodeBox({ node }: { readonly node: MapNode }) {
  const { id, target, health, title, lines } = node;
  const label = `${title}: ${lines.join(", ")}`;
  const box = <NodeContent node={node} />;
  if (target === null) return <g role="img" aria-label={label} data-node={id}>{box}</g>;
  return (
    <a
      href={`#${target}`}
      className={styles["node"]}
      data-health={health}
      data-node={id}
      aria-label={label}
    >
      {box}
    </a>
  );
}

function NodeContent({ node }: { readonly node: MapNode }) {
  const { x, y, width, height, title, lines, health, target, workers } = node;
  const isPlain = target === null;
  const textLeft = x + (isPlain ? 14 : 36);
  const room = Math.floor((width - (isPlain ? 20 : 42)) / 6.6);
  const firstLine = y + (workers.length > 0 || lines.length > 1 ? 24 : 32);
  return (
    <>
      <rect
        className={isPlain ? styles["plain"] : styles["box"]}
        x={x}
        y={y}
        width={width}
        height={height}
        rx={10}
      />
      {!isPlain && <HealthMark health={health} x={x + 13} y={firstLine - 12} size={15} />}
      <text className={styles["title"]} x={textLeft} y={firstLine}>{cut(title, room)}</text>
      {lines.map((line, index) => (
        <text key={index} className={styles["line"]} x={textLeft} y={firstLine + 18 * (index + 1)}>
          {cut(line, room)}
        </text>
      ))}
      {workers.slice(0, workersShownMax).map((worker, index) => (
        <rect
          key={index}
          data-health={worker}
          className={styles["worker"]}
          x={textLeft + index * 9}
          y={y + height - 21}
          width={6}
          height={10}
          rx={2}
        />
      ))}
    </>
  );
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}

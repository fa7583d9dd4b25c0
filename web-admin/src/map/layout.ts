import type { Health, Overview, ServerView } from "../../shared/overview.ts";
import { totalRate } from "../live/overview-stream.ts";
import { formatRate, shortAddress } from "../format.ts";

/** A box of the map. Lengths are CSS pixels. */
export interface MapNode {
  readonly id: string;
  readonly title: string;
  /** What it says below its title, one string a line. */
  readonly lines: readonly string[];
  readonly health: Health;
  /** The page element that tells more. */
  readonly target: string | null;
  /** One mark a worker. */
  readonly workers: readonly Health[];
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface MapEdge {
  readonly id: string;
  readonly path: string;
  readonly health: Health;
  /** Requests per second on it; null where nobody counts. */
  readonly rate: number | null;
  /** Where its rate is written; null: nowhere. */
  readonly label: { readonly x: number; readonly y: number } | null;
}

export interface MapLayout {
  readonly width: number;
  readonly height: number;
  readonly nodes: readonly MapNode[];
  readonly edges: readonly MapEdge[];
}

type Box = Omit<MapNode, "x" | "y" | "width" | "height">;

/** More servers than this would make the map a list; the rest is one box. */
const serversMax = { wide: 8, narrow: 4 } as const;
const narrowBelow = 680;
const nodeHeight = 74;
const gap = 18;

/** Draws the cluster for a width: from left to right, or from top to bottom where it is narrow. */
export function layoutMap(overview: Overview, width: number): MapLayout {
  const isNarrow = width < narrowBelow;
  const tiers = tiersOf(overview, isNarrow ? serversMax.narrow : serversMax.wide);
  const { nodes, height } = isNarrow ? placeRows(tiers, width) : placeColumns(tiers, width);
  return { width, height, nodes, edges: edgesOf(overview, nodes, isNarrow) };
}

function tiersOf(overview: Overview, max: number): readonly (readonly Box[])[] {
  const { servers } = overview;
  const shown = servers.length > max ? mostNotable(servers).slice(0, max - 1) : servers;
  const hidden = servers.filter((server) => !shown.includes(server));
  const more = hidden.length === 0 ? [] : [moreBox(hidden)];
  const stores = (["odb", "kvdb"] as const)
    .filter((part) => overview[part].condition !== "none")
    .map((part) => storeBox(overview, part));
  return [
    [clientsBox(overview)],
    ...(overview.balancer === null ? [] : [[balancerBox(overview.balancer)]]),
    [...shown.map((server) => serverBox(server)), ...more],
    stores,
  ].filter((tier) => tier.length > 0);
}

/** Those that are not well come first: they must not hide in "12 more". */
function mostNotable(servers: readonly ServerView[]): readonly ServerView[] {
  return servers.toSorted((a, b) => Number(a.health === "good") - Number(b.health === "good"));
}

function clientsBox(overview: Overview): Box {
  const lines = [`${formatRate(totalRate(overview))} requests/s`];
  return { id: "clients", title: "Clients", lines, health: "unknown", target: null, workers: [] };
}

function balancerBox({ facts, health }: NonNullable<Overview["balancer"]>): Box {
  const lines = facts === null
    ? ["agent does not answer"]
    : [`${facts.engine} ${facts.engineVersion}`, `${facts.sessionsCurrent} sessions`];
  return { id: "balancer", title: "Balancer", lines, health, target: "balancer", workers: [] };
}

function serverBox({ name, health, condition, facts }: ServerView): Box {
  const workers = (facts?.workers ?? []).map((worker) => worker.health);
  const count = workers.length === 1 ? "1 worker" : `${workers.length} workers`;
  const lines = facts === null ? [condition] : [`${condition}, ${count}`];
  return { id: name, title: name, lines, health, target: `server-${name}`, workers };
}

function moreBox(servers: readonly ServerView[]): Box {
  const up = servers.filter((server) => server.health === "good").length;
  const health = up === servers.length ? "good" : "warning";
  const lines = [`${up} of them well`];
  const title = `${servers.length} more`;
  return { id: "more servers", title, lines, health, target: "servers", workers: [] };
}

function storeBox(overview: Overview, part: "odb" | "kvdb"): Box {
  const { condition, engine, address, health } = overview[part];
  const state = condition === "partly" ? "not from all" : condition;
  const lines = [`${engine} ${state}`.trim(), shortAddress(address)].filter((line) => line !== "");
  return { id: part, title: part.toUpperCase(), lines, health, target: part, workers: [] };
}

function placeColumns(tiers: readonly (readonly Box[])[], width: number) {
  const rows = Math.max(...tiers.map((tier) => tier.length), 2);
  const height = rows * nodeHeight + (rows - 1) * gap;
  const boxWidth = Math.min(216, (width - (tiers.length - 1) * 84) / tiers.length);
  const step = tiers.length > 1 ? (width - 2 - boxWidth) / (tiers.length - 1) : 0;
  const nodes = tiers.flatMap((tier, column) => {
    const tall = tier.length * nodeHeight + (tier.length - 1) * gap;
    const top = (height - tall) / 2;
    return tier.map((box, row): MapNode => ({
      ...box,
      x: 1 + column * step,
      y: 1 + top + row * (nodeHeight + gap),
      width: boxWidth,
      height: nodeHeight,
    }));
  });
  return { nodes, height: height + 2 };
}

function placeRows(tiers: readonly (readonly Box[])[], width: number) {
  const between = 34;
  const nodes: MapNode[] = [];
  let y = 1;
  for (const tier of tiers) {
    for (let first = 0; first < tier.length; first += 2) {
      const row = tier.slice(first, first + 2);
      const boxWidth = row.length === 1 && tier.length === 1 ? 190 : (width - 2 - gap) / 2;
      const left = (width - row.length * boxWidth - (row.length - 1) * gap) / 2;
      row.forEach((box, index) =>
        nodes.push({
          ...box,
          x: left + index * (boxWidth + gap),
          y,
          width: boxWidth,
          height: nodeHeight,
        })
      );
      y += nodeHeight + (first + 2 < tier.length ? gap : between);
    }
  }
  return { nodes, height: y - between + 2 };
}

interface Link {
  readonly from: MapNode;
  readonly to: MapNode;
  readonly health: Health;
  readonly rate: number | null;
  /** Whether anybody counts what goes over it. */
  readonly isCounted: boolean;
}

function edgesOf(
  overview: Overview,
  nodes: readonly MapNode[],
  isNarrow: boolean,
): readonly MapEdge[] {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const links = [
    ...trafficLinks(overview, byId),
    ...moreLinks(byId),
    ...storeLinks(overview, byId),
  ];
  return links.map((link) => {
    const { path, label } = isNarrow ? drawDown(link) : drawAcross(link);
    return {
      id: `${link.from.id} ${link.to.id}`,
      path,
      label: link.isCounted ? label : null,
      health: link.health,
      rate: link.rate,
    };
  });
}

function* trafficLinks(overview: Overview, byId: ReadonlyMap<string, MapNode>): Generator<Link> {
  const clients = byId.get("clients")!; // always drawn
  const balancer = byId.get("balancer");
  const facts = overview.balancer?.facts;
  if (balancer !== undefined) {
    const rate = facts?.requestsPerSecond ?? null;
    yield { from: clients, to: balancer, health: balancer.health, rate, isCounted: true };
  }
  for (const server of overview.servers) {
    const to = byId.get(server.name);
    if (to === undefined) continue;
    const balanced = facts?.servers.find(({ name }) => name === server.name);
    const health = balanced?.health ?? (facts ? "bad" : "unknown");
    const rate = balanced?.requestsPerSecond ?? (balancer ? null : server.requestsPerSecond);
    const from = balancer ?? clients;
    yield { from, to, health: balancer ? health : server.health, rate, isCounted: true };
  }
}

function* moreLinks(byId: ReadonlyMap<string, MapNode>): Generator<Link> {
  const from = byId.get("balancer") ?? byId.get("clients");
  const to = byId.get("more servers");
  if (from === undefined || to === undefined) return;
  yield { from, to, health: to.health, rate: null, isCounted: false };
}

function* storeLinks(overview: Overview, byId: ReadonlyMap<string, MapNode>): Generator<Link> {
  for (const part of ["odb", "kvdb"] as const) {
    const to = byId.get(part);
    for (const { server, state } of overview[part].servers) {
      const from = byId.get(server);
      if (to === undefined || from === undefined || state === "none") continue;
      const health = { up: "good", down: "bad", unknown: "unknown" } as const;
      yield { from, to, health: health[state], rate: null, isCounted: false };
    }
  }
}

function drawAcross({ from, to }: Link) {
  const [x1, y1] = [from.x + from.width, from.y + from.height / 2];
  const [x2, y2] = [to.x, to.y + to.height / 2];
  const bend = (x2 - x1) / 2;
  const path = `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`;
  // At two thirds the curves to several servers are far enough apart to be written on.
  return { path, label: { x: x1 + (x2 - x1) * 0.6, y: y1 + (y2 - y1) * 0.65 } };
}

function drawDown({ from, to }: Link) {
  const [x1, y1] = [from.x + from.width / 2, from.y + from.height];
  const [x2, y2] = [to.x + to.width / 2, to.y];
  const bend = Math.max(16, (y2 - y1) / 2);
  const path = `M${x1} ${y1}C${x1} ${y1 + bend} ${x2} ${y2 - bend} ${x2} ${y2}`;
  // A curve that passes behind a row of boxes has no free place for its rate.
  const isNear = y2 - y1 < nodeHeight;
  return { path, label: isNear ? { x: (x1 + x2) / 2, y: (y1 + y2) / 2 } : null };
}

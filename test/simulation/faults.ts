import { leaseNames, type ModelServer } from "./model-server.ts";
import type { LinkFault } from "./network.ts";
import type { World } from "./world.ts";

export const faultNames = [
  "crash",
  "stop",
  "pause",
  "cut",
  "slow",
  "freeze",
  "clock-step",
  "change",
  "withdraw",
] as const;
export type FaultName = (typeof faultNames)[number];

export interface FaultPlan {
  readonly servers: readonly ModelServer[];
  readonly kinds: readonly FaultName[];
  readonly count: number;
  /** Faults begin before this and are over at it. */
  readonly endAt: number;
  /** Sets the database's clock forward or back. */
  readonly stepClock: (ms: number) => void;
}

/** What clocks drift apart at most while a lease lasts, as a share of that time. */
const driftMax = 0.05;

/** Draws faults and puts them on the timeline; at `endAt` everything works again. */
export function scheduleFaults(world: World, plan: FaultPlan): void {
  const { timeline, random } = world;
  let hasStepped = false;
  for (let left = plan.count; left > 0; left--) {
    const kind = plan.kinds[random.below(plan.kinds.length)]!;
    if (kind === "clock-step" && hasStepped) continue;
    hasStepped ||= kind === "clock-step";
    timeline.at(random.next() * plan.endAt, () => begin(world, plan, kind));
  }
  timeline.at(plan.endAt, () => heal(world, plan.servers));
}

function begin(world: World, plan: FaultPlan, kind: FaultName): void {
  const { timeline, random, network } = world;
  const server = victim(world, plan.servers);
  // Many are short, and some outlast a lease.
  const ms = random.chance(0.5) ? random.between(50, 3_000) : random.between(3_000, 9_000);
  const isLeader = server.proof(leaseNames[0]) !== undefined;
  const who = kind === "freeze" ? "odb" : isLeader ? `${server.name}, the holder` : server.name;
  world.trace?.(who, `${kind} for ${Math.round(ms)} ms`);
  switch (kind) {
    case "crash":
    case "stop": {
      if (kind === "crash") server.crash();
      else server.stop();
      return timeline.after(ms + 2_000, () => {
        if (server.state === "down") server.start();
      });
    }
    case "pause":
      server.pause();
      return timeline.after(ms, () => server.resume());
    case "cut":
      return setLink(world, server, random.chance(0.5) ? "loses requests" : "loses answers", ms);
    case "slow":
      return setLink(world, server, "slow", ms);
    case "freeze":
      network.freeze();
      return timeline.after(ms, () => network.thaw());
    case "clock-step":
      return plan.stepClock(random.between(-1, 1) * stepMaxMs(world));
    case "withdraw":
      return server.withdraw(leaseNames[random.below(leaseNames.length)]!, ms / 3);
    case "change":
      return change(world, plan.servers);
  }
}

/** So far the database's clock steps in one schedule: what a lease's margin is for. */
function stepMaxMs({ timing: { marginMs, ttlMs } }: World): number {
  return marginMs - driftMax * ttlMs;
}

/** Whoever plans at the moment is worth a fault more than others. */
function victim({ random }: World, servers: readonly ModelServer[]): ModelServer {
  const leader = servers.find((server) => server.proof(leaseNames[0]) !== undefined);
  if (leader !== undefined && random.chance(0.5)) return leader;
  return servers[random.below(servers.length)]!;
}

function setLink(world: World, server: ModelServer, fault: LinkFault, ms: number): void {
  server.link = fault;
  world.timeline.after(ms, () => {
    if (server.link === fault) server.link = "none";
  });
}

/** Somebody changes the configuration; word of it may get lost. */
function change({ odb, network, timeline, random }: World, servers: readonly ModelServer[]): void {
  if (network.isFrozen) return;
  odb.change();
  for (const server of servers) {
    if (random.chance(0.3)) continue;
    timeline.after(random.next() * 50, () => server.deliver(() => server.hint()));
  }
}

function heal({ network }: World, servers: readonly ModelServer[]): void {
  network.thaw();
  for (const server of servers) {
    server.link = "none";
    server.resume();
    if (server.state === "up") continue;
    server.crash();
    server.start();
  }
}

import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, createServer, type Server } from "node:net";
import { requireIp } from "./network-namespaces.ts";

/** Which direction of a wire loses everything, seen from the far end. */
export type CutDirection = "both" | "sent" | "received";

/** One wire between this machine's network and the far one. */
interface FarWire {
  /** Here. */
  readonly near: string;
  readonly far: string;
  /** From now on nothing arrives in that direction, and nobody is told. */
  cut(direction: CutDirection): Promise<void>;
  heal(): Promise<void>;
  /** Makes a port of 127.0.0.1 reachable at the same port of `near`. */
  forward(port: number): Promise<void>;
}

/** A network of its own on this machine, which is reached over several wires. */
export interface FarNetwork<T extends string> {
  readonly wires: Readonly<Record<T, FarWire>>;
  /** Starts a program that sees that network only. */
  spawn(program: string, args: readonly string[]): ChildProcess;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A range that is for trials of network devices, and that nobody routes (RFC 2544). */
const addressOf = (wire: number, end: 1 | 2) => `198.19.${77 + wire}.${end}`;

/**
 * Makes a network namespace and one veth pair for each name. The ends here have addresses of a
 * range that is used nowhere else; all of it is gone when it is disposed of. Throws what is missing
 * when this user or this machine cannot do that.
 */
export async function createFarNetwork<T extends string>(
  names: readonly T[],
): Promise<FarNetwork<T>> {
  const ip = requireIp();
  const id = randomBytes(3).toString("hex");
  const namespace = `dragoman-${id}`;
  const forwarders: Server[] = [];
  const remove = async () => {
    for (const server of forwarders) server.close();
    // Its end of each pair goes with it, and with that the end here.
    await ip("netns", "delete", namespace).catch(() => {}); // not made yet
  };
  const made: [T, FarWire][] = [];
  try {
    await ip("netns", "add", namespace);
    await ip("-n", namespace, "link", "set", "lo", "up");
    for (const [index, name] of names.entries()) {
      const wire = { link: `dg${id}${index}`, namespace, near: addressOf(index, 1) };
      made.push([name, await addWire(ip, { ...wire, far: addressOf(index, 2) }, forwarders)]);
    }
  } catch (error) {
    await remove();
    throw error;
  }
  return {
    // Every name has been given its wire.
    wires: Object.fromEntries(made) as Record<T, FarWire>,
    spawn: (program, args) =>
      spawn("ip", ["netns", "exec", namespace, program, ...args], {
        stdio: ["ignore", "pipe", "pipe"],
      }),
    [Symbol.asyncDispose]: remove,
  };
}

interface WirePlan {
  readonly link: string;
  readonly namespace: string;
  readonly near: string;
  readonly far: string;
}

async function addWire(
  ip: ReturnType<typeof requireIp>,
  { link, namespace, near, far }: WirePlan,
  forwarders: Server[],
): Promise<FarWire> {
  const there = ["-n", namespace] as const;
  await ip("link", "add", link, "type", "veth", "peer", "name", link, "netns", namespace);
  await ip("address", "add", `${near}/30`, "dev", link);
  await ip(...there, "address", "add", `${far}/30`, "dev", link);
  await ip(...there, "link", "set", link, "up");
  await ip("link", "set", link, "up");
  // Frames to a hardware address that nobody has are lost in silence; a route that is taken away
  // would be an error for whoever sends.
  const lose = ["lladdr", "02:00:00:00:00:01", "nud", "permanent", "dev", link] as const;
  const find = ["dev", link] as const;
  return {
    near,
    far,
    async cut(direction) {
      if (direction !== "received") await ip(...there, "neighbour", "replace", near, ...lose);
      if (direction !== "sent") await ip("neighbour", "replace", far, ...lose);
    },
    async heal() {
      await ip(...there, "neighbour", "delete", near, ...find).catch(() => {}); // it was not cut
      await ip("neighbour", "delete", far, ...find).catch(() => {});
    },
    async forward(port) {
      const server = createServer((socket) => {
        const target = connect(port, "127.0.0.1");
        socket.pipe(target).pipe(socket);
        socket.on("error", () => target.destroy());
        target.on("error", () => socket.destroy());
      });
      forwarders.push(server);
      server.listen(port, near);
      await once(server, "listening");
    },
  };
}

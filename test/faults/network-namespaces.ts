import { type ChildProcess, execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { promisify } from "node:util";
import { findExecutable } from "../../src/lib/executables.ts";

/** One end of a wire: a network of its own, with loopback and one address. */
export interface NetworkEnd {
  readonly address: string;
  /** Starts a program that sees this network only. It ends with the wire. */
  spawn(program: string, args: readonly string[]): ChildProcess;
}

/** Two networks that know only one another. What passes between them is lost while it is cut. */
export interface NetworkWire {
  readonly ends: readonly [NetworkEnd, NetworkEnd];
  /** From now on nothing arrives, and nobody is told. */
  cut(): Promise<void>;
  heal(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Makes two network namespaces joined by a veth pair. The machine's own network is not touched.
 * Throws what is missing when this user or this machine cannot do that.
 */
export async function createNetworkWire(): Promise<NetworkWire> {
  const ip = requireIp();
  const id = randomBytes(3).toString("hex");
  const names = [`dragoman-${id}-a`, `dragoman-${id}-b`] as const;
  const links = [`dg${id}a`, `dg${id}b`] as const;
  const addresses = ["10.231.77.1", "10.231.77.2"] as const;
  const children: ChildProcess[] = [];
  const remove = async () => {
    for (const child of children) await endChild(child);
    for (const name of names) await ip("netns", "delete", name).catch(() => {}); // not made yet
  };
  try {
    for (const name of names) await ip("netns", "add", name);
    // Both are born inside, so that the machine's own network never sees them.
    const born = ["netns", "exec", names[0], "ip", "link", "add", links[0], "type", "veth"];
    await ip(...born, "peer", "name", links[1], "netns", names[1]);
    for (const index of [0, 1] as const) {
      const inside = ["-n", names[index]] as const;
      await ip(...inside, "address", "add", `${addresses[index]}/30`, "dev", links[index]);
      await ip(...inside, "link", "set", "lo", "up");
      await ip(...inside, "link", "set", links[index], "up");
    }
  } catch (error) {
    await remove();
    throw error;
  }
  const end = (index: 0 | 1): NetworkEnd => ({
    address: addresses[index],
    spawn(program, args) {
      const words = ["netns", "exec", names[index], program, ...args];
      const child = spawn("ip", words, { stdio: ["pipe", "pipe", "inherit"] });
      children.push(child);
      return child;
    },
  });
  // Frames to a hardware address that nobody has are lost in silence; a route that is taken away
  // would be an error for whoever sends.
  const neighbour = (index: 0 | 1, verb: string, ...rest: readonly string[]) =>
    ip("-n", names[index], "neighbour", verb, addresses[1 - index]!, ...rest, "dev", links[index]);
  const both = (verb: string, ...rest: readonly string[]) =>
    Promise.all([neighbour(0, verb, ...rest), neighbour(1, verb, ...rest)]);
  return {
    ends: [end(0), end(1)],
    cut: async () => {
      await both("replace", "lladdr", "02:00:00:00:00:01", "nud", "permanent");
    },
    heal: async () => void await both("delete"),
    [Symbol.asyncDispose]: remove,
  };
}

/**
 * The program `ip`, as one that may change networks. Throws what is missing when it may not; so do
 * its calls.
 */
export function requireIp(): (...words: readonly string[]) => Promise<unknown> {
  if (findExecutable("ip") === undefined) {
    throw new Error("Network namespaces need the program ip: apt-get install iproute2");
  }
  if (process.getuid?.() !== 0) {
    throw new Error("Network namespaces can be made by root only: run this test as root");
  }
  return async (...words) => {
    try {
      return await promisify(execFile)("ip", [...words]);
    } catch (error) {
      const isDenied = /not permitted|denied|Read-only/.test(String(error));
      if (!isDenied) throw error;
      throw new Error(
        "This machine does not let root make network namespaces, as in a container without the " +
          "capabilities NET_ADMIN and SYS_ADMIN: give it those, or run this test elsewhere",
        { cause: error },
      );
    }
  };
}

async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}

import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { drawCount } from "../../draw-count.ts";
import type { Backend } from "../backend.ts";

/** How the next server is chosen among those that take requests. */
export interface Selection {
  /** What a hash is taken of; undefined where the request does not matter. */
  keyOf(request: IncomingMessage): string | undefined;
  /** One of `candidates`, which has at least one and none with weight 0. */
  pick(candidates: readonly Backend[], key: string | undefined): Backend;
}

/** `algorithm` is one that config.yaml allows. */
export function createSelection(algorithm: string): Selection {
  const [method, what, header = ""] = algorithm.split(":");
  if (method === "leastconn") return { keyOf: () => undefined, pick: createLeastBusy() };
  if (method === "random") return { keyOf: () => undefined, pick: pickLeastBusyDrawn };
  const turns = createTurns();
  if (method !== "hash") return { keyOf: () => undefined, pick: turns };
  return {
    keyOf: (request) => {
      if (what === "source") return request.socket.remoteAddress ?? "";
      if (what === "uri") return (request.url ?? "").split("?", 1)[0];
      const value = request.headers[header.toLowerCase()];
      return Array.isArray(value) ? value.join(",") : value;
    },
    // A request without the header that the hash is taken of goes to whose turn it is.
    pick: (candidates, key) => key === undefined ? turns(candidates) : pickByHash(candidates, key),
  };
}

/** Turns in proportion to the weights, spread evenly rather than in a row. */
function createTurns(): (candidates: readonly Backend[]) => Backend {
  const credit = new WeakMap<Backend, number>();
  return (candidates) => {
    let total = 0;
    let best = candidates[0]!; // there is at least one
    for (const backend of candidates) {
      total += backend.weight;
      credit.set(backend, (credit.get(backend) ?? 0) + backend.weight);
      if (credit.get(backend)! > credit.get(best)!) best = backend; // both were just set or seen
    }
    credit.set(best, credit.get(best)! - total);
    return best;
  };
}

/** Of equally busy ones the first that was drawn, so that idle servers get what is their weight's. */
function pickLeastBusyDrawn(candidates: readonly Backend[]): Backend {
  let best = drawByWeight(candidates);
  for (let draw = 1; draw < drawCount; draw++) {
    const other = drawByWeight(candidates);
    if (other.sessions * best.weight < best.sessions * other.weight) best = other;
  }
  return best;
}

function drawByWeight(candidates: readonly Backend[]): Backend {
  let left = Math.random() * candidates.reduce((sum, { weight }) => sum + weight, 0);
  return candidates.find(({ weight }) => (left -= weight) < 0) ?? candidates[0]!;
}

function createLeastBusy(): (candidates: readonly Backend[]) => Backend {
  const turns = createTurns();
  const load = (backend: Backend) => (backend.sessions + 1) / backend.weight;
  return (candidates) => {
    const least = Math.min(...candidates.map(load));
    return turns(candidates.filter((backend) => load(backend) === least));
  };
}

/**
 * Rendezvous hashing: every server draws a number for the key and the highest takes it, so that a
 * server that comes or goes moves only its own share.
 */
function pickByHash(candidates: readonly Backend[], key: string): Backend {
  const score = (backend: Backend) => {
    const digest = createHash("sha256").update(`${backend.name}\0${key}`).digest();
    const drawn = (digest.readUIntBE(0, 6) + 1) / (2 ** 48 + 1);
    return -backend.weight / Math.log(drawn);
  };
  return candidates.reduce((best, one) => score(one) > score(best) ? one : best);
}

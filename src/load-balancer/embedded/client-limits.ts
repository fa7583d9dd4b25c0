import { isIPv6 } from "node:net";
import type { LoadBalancerConfig } from "../../config/schemas.ts";

/** Addresses that are counted; with more clients than these the oldest are forgotten. */
const addressesMax = 100_000;

interface Window {
  startedAt: number;
  count: number;
  /** In the window before. */
  before: number;
}

/** Counts what each client address has open and how often it asks. */
export class ClientLimits {
  readonly #limits: LoadBalancerConfig["limits"];
  readonly #open = new Map<string, number>();
  readonly #windows = new Map<string, Window>();

  constructor(limits: LoadBalancerConfig["limits"]) {
    this.#limits = limits;
  }

  /** Counts a connection; what is returned says whether it is one too many, and when it is over. */
  open(address: string): { readonly isSurplus: boolean; readonly close: () => void } {
    const { connectionsPerAddress: max } = this.#limits;
    if (max === undefined) return { isSurplus: false, close: () => {} };
    const network = networkOf(address);
    const count = (this.#open.get(network) ?? 0) + 1;
    this.#open.set(network, count);
    return {
      isSurplus: count > max,
      close: () => {
        const left = (this.#open.get(network) ?? 1) - 1;
        if (left === 0) this.#open.delete(network);
        else this.#open.set(network, left);
      },
    };
  }

  /** Counts a request; true when the address sent too many in the period that ends now. */
  isTooFast(address: string, nowMs: number = performance.now()): boolean {
    const { requestsPerAddress: max, ratePeriodMs } = this.#limits;
    if (max === undefined) return false;
    const window = this.#window(networkOf(address), nowMs);
    window.count += 1;
    // What is left of the window before counts in proportion: so the period slides.
    const part = 1 - (nowMs - window.startedAt) / ratePeriodMs;
    return window.count + window.before * part > max;
  }

  #window(network: string, nowMs: number): Window {
    const { ratePeriodMs } = this.#limits;
    const found = this.#windows.get(network);
    const ageMs = found === undefined ? Infinity : nowMs - found.startedAt;
    if (found !== undefined && ageMs < ratePeriodMs) return found;
    const startedAt = found === undefined || ageMs >= 2 * ratePeriodMs
      ? nowMs
      : found.startedAt + ratePeriodMs;
    const before = ageMs < 2 * ratePeriodMs ? found?.count ?? 0 : 0;
    const window: Window = { startedAt, count: 0, before };
    // Put at the end: the first of the map is the one that was quiet for longest.
    this.#windows.delete(network);
    this.#windows.set(network, window);
    if (this.#windows.size > addressesMax) {
      this.#windows.delete(this.#windows.keys().next().value!); // there are many
    }
    return window;
  }
}

/** An IPv6 client has a network of 64 bits to itself; IPv4 inside IPv6 is written as itself. */
export function networkOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, "");
  if (!isIPv6(plain)) return plain;
  const [head = "", tail] = plain.split("%", 1)[0]!.split("::"); // there is always a first part
  const groups = head === "" ? [] : head.split(":");
  if (tail !== undefined) {
    const rest = tail === "" ? 0 : tail.split(":").length;
    while (groups.length + rest < 8) groups.push("0");
    if (tail !== "") groups.push(...tail.split(":"));
  }
  return groups.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16)).join(":");
}

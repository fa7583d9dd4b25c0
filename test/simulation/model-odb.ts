import type { LeaseHolder, LeaseProof } from "../../src/odb/lease-types.ts";
import type { LeaseView } from "../../src/cluster/leases/lease-campaigns.ts";
import type { Breakage } from "./breakages.ts";
import { ModelLedger } from "./model-ledger.ts";
import type { Checker } from "./checker.ts";

interface ModelLease {
  readonly name: string;
  server: string;
  incarnation: string;
  epoch: number;
  /** By the database's clock; -1: free. */
  expiresAt: number;
}

interface ModelServerRow {
  incarnation: string;
  state: "up" | "down";
  seenAt: number;
}

const lostAfterMs = 10_000;

/**
 * The ODB reduced to what leases, the ledger and the desired state need of it, with the semantics
 * of LeaseStore and JobStore. Every method is one transaction.
 */
export class ModelOdb {
  readonly ledger: ModelLedger;
  revision = 1;
  readonly #leases: ModelLease[] = [];
  readonly #servers = new Map<string, ModelServerRow>();
  readonly #breakage: Breakage | undefined;
  readonly #clock: () => number;
  readonly #checker: Checker;

  /** `clock`: the database's. */
  constructor({ clock, checker, breakage }: {
    readonly clock: () => number;
    readonly checker: Checker;
    readonly breakage: Breakage | undefined;
  }) {
    this.#clock = clock;
    this.#checker = checker;
    this.#breakage = breakage;
    this.ledger = new ModelLedger({ clock, checker, breakage });
  }

  /** Somebody changes the configuration. */
  change(): void {
    this.revision += 1;
    this.ledger.follow(this.revision);
  }

  /** The database's clock. */
  time(): number {
    return this.#clock();
  }

  report({ server, incarnation }: LeaseHolder, state: "up" | "down"): void {
    this.#servers.set(server, { incarnation, state, seenAt: this.#clock() });
  }

  look(): LeaseView {
    const now = this.#clock();
    const rows = this.#leases.map(({ name, server, incarnation, epoch, expiresAt }) => {
      const state = expiresAt === -1 ? "free" : expiresAt > now ? "held" : "expired";
      const expiresInMs = Math.max(0, expiresAt - now);
      return { name, server, incarnation, epoch, state, expiresInMs } as const;
    });
    const servers: LeaseHolder[] = [];
    for (const [server, { incarnation, state, seenAt }] of this.#servers) {
      if (state === "up" && now - seenAt < lostAfterMs) servers.push({ server, incarnation });
    }
    return { rows, servers };
  }

  acquire(name: string, { server, incarnation }: LeaseHolder, ttlMs: number): number | undefined {
    const now = this.#clock();
    let lease = this.#leases.find((one) => one.name === name);
    if (lease === undefined) {
      lease = { name, server: "", incarnation: "", epoch: 0, expiresAt: -1 };
      this.#leases.push(lease);
    }
    const isHeld = lease.expiresAt > now;
    const isOurs = lease.server === server && lease.incarnation === incarnation;
    if (isHeld && !isOurs) return undefined;
    if (!isHeld) lease.epoch += 1;
    lease.server = server;
    lease.incarnation = incarnation;
    lease.expiresAt = now + ttlMs;
    this.#checker.granted(name, lease.epoch, `${server}/${incarnation}`);
    return lease.epoch;
  }

  renew(proofs: readonly LeaseProof[], ttlMs: number): readonly string[] {
    const held = proofs.filter((proof) => this.#proves(proof));
    const expiresAt = this.#clock() + ttlMs;
    for (const { name } of held) {
      this.#leases.find((one) => one.name === name)!.expiresAt = expiresAt;
    }
    return held.map(({ name }) => name);
  }

  release(proof: LeaseProof): boolean {
    if (!this.#proves(proof)) return false;
    this.#leases.find(({ name }) => name === proof.name)!.expiresAt = -1;
    return true;
  }

  /** Carries out what only the lease's holder may; false when the proof is not good any more. */
  fenced(proof: LeaseProof, write: () => void): boolean {
    if (this.#breakage !== "no-fence" && !this.#proves(proof)) return false;
    this.#checker.fencedWrite(proof.name, proof.epoch);
    write();
    return true;
  }

  #proves({ name, epoch, holder }: LeaseProof): boolean {
    const lease = this.#leases.find((one) => one.name === name);
    return lease !== undefined && lease.expiresAt > this.#clock() && lease.epoch === epoch &&
      lease.server === holder.server && lease.incarnation === holder.incarnation;
  }
}

import type { ModelClaim } from "./model-ledger.ts";
import type { ModelServer } from "./model-server.ts";

const claimMs = 4_000;
const renewMs = 1_300;
const lookMs = 900;
const retryMs = 400;
const batchMax = 8;

/** Runs what is due, as every server does: claims, renews while it runs, settles. */
export class ModelRunner {
  readonly #server: ModelServer;
  readonly #running: ModelClaim[] = [];
  #isRenewing = false;

  constructor(server: ModelServer) {
    this.#server = server;
  }

  start(): void {
    this.#look();
  }

  #look(): void {
    const server = this.#server;
    const { odb, random } = server.world;
    if (server.state === "stopping") return;
    const again = () => server.after(lookMs * random.between(0.9, 1.1), () => this.#look());
    server.ask(
      () => odb.ledger.claim(batchMax, claimMs),
      (claims) => {
        for (const claim of claims) this.#run(claim);
        again();
      },
      again,
    );
  }

  #run(claim: ModelClaim): void {
    const { job, time, attempt } = claim;
    const { checker, random, trace } = this.#server.world;
    trace?.(this.#server.name, `runs ${job.name}@${time}, attempt ${attempt}`);
    checker.begun(job.name, time, attempt);
    this.#running.push(claim);
    this.#renewSoon();
    // Most are short, and some take longer than a claim holds.
    const ms = random.chance(0.8) ? random.between(1, 500) : random.between(500, 6_000);
    this.#server.after(ms, () => this.#settle(claim));
  }

  #settle(claim: ModelClaim): void {
    const { odb } = this.#server.world;
    this.#server.ask(
      () => odb.ledger.settle(claim),
      () => this.#running.splice(this.#running.indexOf(claim), 1),
      () => this.#server.after(retryMs, () => this.#settle(claim)),
    );
  }

  #renewSoon(): void {
    if (this.#isRenewing) return;
    this.#isRenewing = true;
    this.#server.after(renewMs, () => {
      this.#isRenewing = false;
      if (this.#running.length === 0) return;
      const { odb } = this.#server.world;
      const claims = [...this.#running];
      this.#server.ask(() => odb.ledger.renew(claims, claimMs), () => {});
      this.#renewSoon();
    });
  }
}

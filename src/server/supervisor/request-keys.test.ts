import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { PlatformError } from "../../errors/platform-error.ts";
import type { PatientClaim } from "../../http/idempotency/key-ledger.ts";
import { poll } from "../../lib/wait.ts";
import type { KeptAnswer, KeyClaim, KeyStanding } from "../../odb/idempotency-types.ts";
import type { ClusterStore } from "../../odb/types.ts";
import { silentLogger } from "../../telemetry/logger.ts";
import { type Asker, RequestKeys } from "./request-keys.ts";

const answer: KeptAnswer = { status: 201, headers: [], body: "e30=" };

/** An ODB that knows one key, and what it is asked. */
class OneKey {
  readonly asked: string[] = [];
  readonly judged: boolean[] = [];
  /** Most questions at the same time. */
  most = 0;
  isAway = false;
  /** The next claim is written, but nobody hears of it. */
  isCut = false;
  /** While it is set, questions are not answered. */
  held: Promise<void> | undefined;
  row: (KeyClaim & { readonly answer?: KeptAnswer }) | undefined;
  #asking = 0;

  readonly store: Pick<ClusterStore, "claimKey" | "settleKey" | "releaseKey" | "loseKeys"> = {
    claimKey: (claim, _holder, options) =>
      this.#answer("claim", () => {
        this.judged.push(options?.judgesSilence ?? true);
        return this.#claim(claim);
      }),
    settleKey: (proof, kept) =>
      this.#answer("settle", () => {
        if (this.row?.cid === proof.cid) this.row = { ...this.row, answer: kept };
      }),
    releaseKey: ({ cid }) =>
      this.#answer("release", () => {
        if (this.row?.cid === cid) this.row = undefined;
      }),
    loseKeys: (proofs) => this.#answer(`lose ${proofs.map(({ cid }) => cid).join()}`, () => {}),
  };

  open(options: { readonly isSeen?: boolean; readonly judgesSilence?: boolean } = {}): RequestKeys {
    const { isSeen = true, judgesSilence = true } = options;
    return new RequestKeys({
      link: {
        use: (work) => work(this.store as ClusterStore), // keys need no more of it
        status: () => ({ state: "up", engine: "x", address: "a test", since: "" }),
      },
      holder: { server: "server1", incarnation: "a" },
      presence: { isSeen, judgesSilence },
      logger: silentLogger,
      mendMs: 5,
    });
  }

  #claim(claim: KeyClaim): KeyStanding {
    const cut = this.isCut;
    this.isCut = false;
    this.row ??= claim;
    const { row } = this;
    if (cut) throw away;
    if (row.cid === claim.cid) return { state: "ours" };
    if (row.fingerprint !== claim.fingerprint) return { state: "reused" };
    return row.answer === undefined ? { state: "running" } : { state: "done", answer: row.answer };
  }

  async #answer<T>(what: string, work: () => T): Promise<T> {
    this.asked.push(what);
    this.most = Math.max(this.most, ++this.#asking);
    try {
      await this.held;
      if (this.isAway) throw away;
      return work();
    } finally {
      this.#asking--;
    }
  }
}

const away = new PlatformError("ODB_UNREACHABLE", { address: "a test", reason: "it is away" });

function request(cid: string, more: Partial<PatientClaim> = {}): PatientClaim {
  return { id: "key", cid, fingerprint: "f", repeatUnknown: false, waitMs: 20_000, ...more };
}

function worker(): Asker & { readonly end: () => void } {
  const { promise: exited, resolve: end } = Promise.withResolvers<void>();
  return { exited, end };
}

describe("RequestKeys", () => {
  it("asks for hundreds of equal requests once at a time, and tells all", async () => {
    const odb = new OneKey();
    const keys = odb.open();
    const asker = worker();
    const first = request("first");
    await keys.claim(first, asker);

    const waiting = Array.from(
      { length: 300 },
      (_, index) => keys.claim(request(`${index}`), asker),
    );
    const refused = await Promise.all(waiting.slice(100));
    const before = odb.asked.length;
    await keys.settle({ ...first, answer }, asker);
    const told = await Promise.all(waiting.slice(0, 100));

    assert.deepEqual(new Set(refused.map(({ state }) => state)), new Set(["running"]));
    assert.deepEqual(told, Array(100).fill({ state: "done", answer }));
    assert.equal(odb.most, 1);
    assert.ok(before <= 3, `asked ${before} times`);
  });

  it("tells another request at once that the key is not its own, whoever waits", async () => {
    const odb = new OneKey();
    const keys = odb.open();
    const asker = worker();
    const first = request("first");
    await keys.claim(first, asker);
    const waiting = keys.claim(request("equal"), asker);

    const other = await keys.claim(request("other", { fingerprint: "g" }), asker);
    await keys.settle({ ...first, answer }, asker);

    assert.deepEqual(other, { state: "reused" });
    assert.equal((await waiting).state, "done");
  });

  it("hands a key that was given back to one that waits", async () => {
    const odb = new OneKey();
    const keys = odb.open();
    const asker = worker();
    await keys.claim(request("first"), asker);
    const waiting = keys.claim(request("second"), asker);

    await keys.release(request("first"), asker);

    assert.deepEqual(await waiting, { state: "ours" });
  });

  it("says that another one is running when the time is over", async () => {
    const keys = new OneKey().open();
    const asker = worker();
    await keys.claim(request("first"), asker);

    const standings = await Promise.all([
      keys.claim(request("a", { waitMs: 0 }), asker),
      keys.claim(request("b", { waitMs: 30 }), asker),
      keys.claim(request("c", { waitMs: 60 }), asker),
    ]);

    assert.deepEqual(standings, Array(3).fill({ state: "running" }));
  });

  it("lets nobody wait for a worker that has ended", async () => {
    const odb = new OneKey();
    const keys = odb.open();
    const [one, two] = [worker(), worker()];
    await keys.claim(request("first"), one);
    const waiting = keys.claim(request("second"), two);

    two.end();

    assert.deepEqual(await waiting, { state: "running" });
    one.end();
    assert.ok(
      await poll(() => odb.asked.includes("lose first") || undefined, { timeoutMs: 5_000 }),
    );
  });

  it("gives back what a worker did not live to hear", async () => {
    const odb = new OneKey();
    const keys = odb.open();
    const asker = worker();
    const { promise: held, resolve: goOn } = Promise.withResolvers<void>();
    odb.held = held;
    const claiming = keys.claim(request("first"), asker);
    asker.end();
    await asker.exited;
    goOn();
    await claiming;

    await keys.stop();

    assert.deepEqual(odb.asked, ["claim", "release"]);
    assert.equal(odb.row, undefined);
  });

  it("claims once more what may be claimed, before it gives that back", async () => {
    const odb = new OneKey();
    const keys = odb.open();
    odb.isCut = true;

    await assert.rejects(keys.claim(request("first"), worker()), { code: "ODB_UNREACHABLE" });
    await keys.stop();

    assert.deepEqual(odb.asked, ["claim", "claim", "release"]);
    assert.equal(odb.row, undefined);
  });

  it("takes no key while others cannot know that its server lives", async () => {
    const odb = new OneKey();

    await assert.rejects(odb.open({ isSeen: false }).claim(request("first"), worker()), {
      code: "ODB_UNREACHABLE",
      message: /this server has yet to report to it/,
    });
    assert.deepEqual(odb.asked, []);
  });

  it("believes that others have gone only when it could report itself", async () => {
    const odb = new OneKey();
    await odb.open({ judgesSilence: false }).claim(request("first"), worker());
    await odb.open().claim(request("second", { waitMs: 0 }), worker());

    assert.deepEqual(odb.judged, [false, true]);
  });

  it("writes what is left before it stops, and gives up in time", async () => {
    const odb = new OneKey();
    const keys = odb.open();
    const asker = worker();
    await keys.claim(request("first"), asker);
    odb.isAway = true;
    await assert.rejects(keys.settle({ ...request("first"), answer }, asker));

    await keys.stop(20);
    assert.equal(odb.row?.answer, undefined);
    const stopping = keys.stop();
    odb.isAway = false;
    await stopping;

    assert.deepEqual(odb.row?.answer, answer);
  });
});

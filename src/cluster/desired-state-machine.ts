import { backoffMs } from "../lib/backoff.ts";

/** What to do next; an answer that takes longer than `patienceMs` is one that did not come. */
export type DesiredStep =
  /** Ask the ODB for the cluster's revision. */
  | { readonly do: "ask"; readonly patienceMs: number }
  /** Read the whole state, and bring it to life. */
  | { readonly do: "adopt"; readonly patienceMs: number }
  /** Nothing, until this time is over or somebody wants a look. */
  | { readonly do: "rest"; readonly ms: number };

export interface DesiredStateMachineOptions {
  /** How often the ODB is asked for its revision, hints or not. */
  readonly pollMs: number;
  /** From 0 to below 1. */
  readonly random: () => number;
}

const askPatienceMs = 2_000;
/** Of the first try; a state that cannot be read in this time is given more at the next. */
const readPatience = { firstMs: 3_000, maxMs: 30_000 };
/** Waits between questions to an ODB that does not answer. */
const retry = { firstMs: 500, maxMs: 2_000 };
/** When the ODB is back, the servers of a cluster do not all read at the same moment. */
const returnJitterMs = 200;

/**
 * Decides how a server follows the cluster's desired state: when to ask for the revision, when to
 * read, when to look again. Pure: it is told what was heard and says what to do. Any revision other
 * than the one that runs is adopted, a lower one too: that of an ODB that was restored.
 */
export class DesiredStateMachine {
  readonly #options: DesiredStateMachineOptions;
  #running = -1;
  #known = -1;
  #isLookWanted = false;
  #isReadWanted = false;
  #isDoubted = false;
  #failures = 0;
  #readFailures = 0;
  #restMs = 0;

  constructor(options: DesiredStateMachineOptions) {
    this.#options = options;
    this.#restMs = options.pollMs;
  }

  /** The revision that was heard last, whether or not it runs. */
  get known(): number {
    return this.#known;
  }

  /** Something may have changed: the next steps look. */
  look(): void {
    this.#isLookWanted = true;
  }

  /** What runs is not all of its revision: it is to be read and brought to life again. */
  doubt(): void {
    this.#isDoubted = true;
  }

  /** The ODB answered somebody after it had not; returns how long to wait before a look. */
  returned(): number {
    this.#failures = 0;
    return this.#options.random() * returnJitterMs;
  }

  next(): DesiredStep {
    if (this.#isReadWanted) {
      const { firstMs, maxMs } = readPatience;
      const patienceMs = Math.min(maxMs, firstMs * 2 ** this.#readFailures);
      return { do: "adopt", patienceMs };
    }
    if (!this.#isLookWanted) return { do: "rest", ms: this.#restMs };
    this.#isLookWanted = false;
    return { do: "ask", patienceMs: askPatienceMs };
  }

  /** The ODB's revision. */
  heard(revision: number): void {
    this.#known = revision;
    this.#isReadWanted = revision !== this.#running || this.#isDoubted;
    this.#failures = 0;
    this.#restMs = this.#options.pollMs;
  }

  /** A state was read, and is about to be brought to life. */
  read(revision: number): void {
    this.#known = revision;
    this.#readFailures = 0;
    this.#isDoubted = false;
  }

  /** A state was brought to life. */
  adopted(revision: number): void {
    this.#running = revision;
    this.#isReadWanted = false;
  }

  /** A step failed: `unreachable` when the ODB gave no answer, `other` for everything else. */
  failed(what: "unreachable" | "other"): void {
    const { pollMs, random } = this.#options;
    if (this.#isReadWanted && what === "unreachable") this.#readFailures += 1;
    this.#isReadWanted = false;
    this.#restMs = what === "other"
      ? pollMs
      : Math.min(pollMs, backoffMs(++this.#failures, { ...retry, random }));
  }
}

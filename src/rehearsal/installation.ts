import { newestVersion } from "../admin-api/drift.ts";
import { commandFailed, type RunCommand } from "./cluster.ts";

/** A Dragoman on this machine: a directory with its code, beside which others may lie. */
export interface Installation {
  /** Its version, such as `0.2.0`, and more where two have the same. */
  readonly name: string;
  readonly run: RunCommand;
}

/** The way of a cluster from one version to a later one, and back. */
export interface UpgradePath {
  readonly from: Installation;
  readonly to: Installation;
}

/**
 * Asks two installations for their versions and puts the older one first; of two that say the same,
 * the other one. Throws REHEARSAL_COMMAND.
 */
export async function loadUpgradePath(own: RunCommand, other: RunCommand): Promise<UpgradePath> {
  const [ours, theirs] = await Promise.all([loadVersion(own), loadVersion(other)]);
  const isSame = ours === theirs;
  const here = { name: isSame ? `this ${ours}` : ours, run: own };
  const there = { name: isSame ? `the other ${theirs}` : theirs, run: other };
  const isOlder = newestVersion([theirs, ours]) === ours;
  return isOlder ? { from: there, to: here } : { from: here, to: there };
}

/** Runs a command line of an installation. Throws REHEARSAL_COMMAND with what it said. */
export async function runOf({ run }: Pick<Installation, "run">, words: readonly string[]) {
  const outcome = await run(words);
  if (outcome.exitCode !== 0) throw commandFailed(words, outcome);
  return outcome;
}

async function loadVersion(run: RunCommand): Promise<string> {
  const { stdout } = await runOf({ run }, ["version", "-o", "json"]);
  const { version }: { readonly version: string } = JSON.parse(stdout);
  return version;
}

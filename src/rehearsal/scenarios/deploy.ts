import { formatMs, none, noted, type PromiseRow, withinMs } from "../promises.ts";
import type { Scenario, Stage } from "../stage.ts";
import { WorkerMemory } from "../worker-memory.ts";
import { deploySource, type OrderAnswer } from "../workload.ts";

/** New code runs on every server so long after it was sent. */
const liveBoundMs = 2_000;
/** One deployment for each such stretch of load. */
const deployEveryMs = 1_000;

/** From when to when a version may answer, in times of `performance.now()`. */
interface VersionSpan {
  readonly version: number;
  readonly sentAtMs: number;
  liveAtMs: number;
}

export const deployUnderLoad: Scenario = {
  name: "deploy-under-load",
  summary: "One version of a service after another is deployed, and broken ones in between",
  jobs: 0,
  async rehearse(stage) {
    const spans: VersionSpan[] = [{ version: 1, sentAtMs: -Infinity, liveAtMs: -Infinity }];
    const wrong: string[] = [];
    stage.onAnswer = ({ sentAtMs, endedAtMs, server }, { body }) => {
      const { version }: OrderAnswer = JSON.parse(body); // a good answer was validated
      const reason = whyWrong(version, spans, { sentAtMs, endedAtMs });
      if (reason !== undefined) wrong.push(`${reason} (${server})`);
    };
    const count = Math.max(4, Math.floor(stage.dose.durationMs / deployEveryMs));
    const accepted: string[] = [];
    const memory = await WorkerMemory.deploy(stage.cluster);
    const lookEvery = Math.max(2, Math.floor(count / 10));
    try {
      for (let deployed = 1; deployed <= count; deployed++) {
        const version = deployed + 1;
        await deployVersion(stage, spans, version);
        if (version % 4 === 0) accepted.push(...await deployBroken(stage));
        if (deployed % lookEvery === 0) await memory.sample();
      }
    } finally {
      await memory.remove();
    }
    await stage.cluster.recovered();
    return [
      ...timeRows(spans.slice(1)),
      memory.row(`after ${lookEvery} versions`),
      none("Answers of a version that was not current", wrong),
      none(`Broken files that were not refused, of ${Math.floor((count + 1) / 4)}`, accepted),
    ];
  },
};

async function deployVersion(
  stage: Stage,
  spans: VersionSpan[],
  version: number,
): Promise<void> {
  const span = { version, sentAtMs: performance.now(), liveAtMs: Infinity };
  spans.push(span);
  const { servers } = await stage.workload.deploy(version);
  if (servers.every(({ outcome }) => outcome === "live")) span.liveAtMs = performance.now();
  stage.say(`Version ${version} is live`);
}

function timeRows(spans: readonly VersionSpan[]): readonly PromiseRow[] {
  const times = spans.map(({ sentAtMs, liveAtMs }) => liveAtMs - sentAtMs).sort((a, b) => a - b);
  return [
    withinMs(
      `Each of ${spans.length} versions is live on every server within`,
      times.at(-1),
      liveBoundMs,
    ),
    noted("Half of them within", formatMs(times[Math.floor(times.length / 2)] ?? 0)),
  ];
}

/** An answer may come from what was live when it was asked for, or from what became so since. */
function whyWrong(
  version: number,
  spans: readonly VersionSpan[],
  { sentAtMs, endedAtMs }: { readonly sentAtMs: number; readonly endedAtMs: number },
): string | undefined {
  const oldest = spans.findLast(({ liveAtMs }) => liveAtMs <= sentAtMs)?.version ?? 1;
  const newest = spans.findLast((span) => span.sentAtMs <= endedAtMs)?.version ?? 1;
  if (version >= oldest && version <= newest) return undefined;
  return `version ${version} where ${oldest} to ${newest} could be`;
}

/** Sends a file that does not load; what happened to it, unless it was refused as it must be. */
async function deployBroken(stage: Stage): Promise<readonly string[]> {
  const source = `throw new Error("This file of a rehearsal does not load");\n`;
  const { outcome } = await deploySource(stage.cluster, source);
  return outcome === "rejected" ? [] : [`A file that throws was ${outcome}`];
}

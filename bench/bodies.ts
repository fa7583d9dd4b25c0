import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { channel } from "../test/integration/data-plane/worker-process.ts";
import { orderOf } from "./orders.ts";
import { startDenoEcho, startWorker, targetOf } from "./targets.ts";
import { measureInTurns, printTurns } from "./turns.ts";

const services = join(dirname(fileURLToPath(import.meta.url)), "services.ts");
const sizes = [1_000, 10_000, 100_000] as const;

/** Validated JSON of growing size beside the bare engine, and 10 MB streamed up and down. */
export async function benchBodies({ rounds = 3, seconds = 3 } = {}): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "dragoman-bench-"));
  const worker = await startWorker(services, [
    channel("/echo", "bench.echo"),
    channel("/receive", "bench.receive"),
    channel("/send", "bench.send"),
  ]);
  const dragoman = targetOf(worker, "Dragoman", "/echo");
  const bare = await startDenoEcho();
  try {
    for (const size of sizes) {
      const file = join(directory, `${size}.json`);
      await writeFile(file, JSON.stringify(orderOf(size)));
      const contenders = [bare, dragoman].map((target) => ({ ...target, body: `@${file}` }));
      const loads = await measureInTurns(contenders, { rounds, seconds });
      printTurns(loads, { title: `JSON of ${size} bytes, in and out`, base: bare.name });
    }
    await streamTenMegabytes(worker.url, worker.child.pid!); // it has answered
  } finally {
    await bare.stop();
    await dragoman.stop();
    await rm(directory, { recursive: true });
  }
}

async function streamTenMegabytes(url: string, pid: number): Promise<void> {
  const body = new Uint8Array(10 * 1024 * 1024);
  const up = () =>
    fetch(`${url}/receive`, { method: "POST", body }).then((answer) => answer.json());
  const down = () => fetch(`${url}/send`).then((answer) => answer.arrayBuffer());
  for (const [name, run] of Object.entries({ up, down })) {
    await Promise.all([run(), run()]);
    const before = residentMegabytes(pid);
    const startedAt = performance.now();
    let peak = before;
    for (let round = 0; round < 10; round++) {
      await Promise.all([run(), run(), run(), run()]);
      peak = Math.max(peak, residentMegabytes(pid));
    }
    const seconds = (performance.now() - startedAt) / 1_000;
    console.log(
      `10 MB streamed ${name}, 4 at once, 40 in all: ${(400 / seconds).toFixed(0)} MB/s, ` +
        `memory ${before.toFixed(0)} MB before, ${peak.toFixed(0)} MB at most`,
    );
  }
  console.log("");
}

function residentMegabytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1_024;
}

import type { LocalServer, RehearsalCluster } from "./cluster.ts";
import type { PromiseRow } from "./promises.ts";
import { deleteSource, deploySource } from "./workload.ts";

const file = "dragoman-rehearsal-memory.ts";
const service = "dragoman-rehearsal.memory";
/** How much more workers may hold after many deployments than after the first few. */
const growthMax = 0.05;

/** Looks at what workers hold on to, by a service of its own. */
export class WorkerMemory {
  readonly #cluster: RehearsalCluster;
  readonly #samplesBytes: number[] = [];

  private constructor(cluster: RehearsalCluster) {
    this.#cluster = cluster;
  }

  static async deploy(cluster: RehearsalCluster): Promise<WorkerMemory> {
    await deploySource(cluster, source, file);
    return new WorkerMemory(cluster);
  }

  /** Notes what is left of each worker's heap after a collection, all servers together. */
  async sample(): Promise<void> {
    const sizes = await Promise.all(this.#cluster.servers.map((server) => this.#heapOf(server)));
    this.#samplesBytes.push(sizes.reduce((sum, size) => sum + size, 0));
  }

  /** The largest sample held against the first. */
  row(what: string): PromiseRow {
    const [first = 0, ...later] = this.#samplesBytes;
    const largest = Math.max(...later);
    const growth = largest / first - 1;
    const percent = `${growth < 0 ? "" : "+"}${(growth * 100).toFixed(1)} %`;
    return {
      promise: `Heap of all workers, largest of ${later.length} looks over the one ${what}`,
      measured: `${percent} (${toMegabytes(first)} to ${toMegabytes(largest)})`,
      bound: `<= ${growthMax * 100} %`,
      verdict: growth <= growthMax ? "kept" : "broken",
    };
  }

  async remove(): Promise<void> {
    await deleteSource(this.#cluster, file);
  }

  /** The server's workers are asked in turn. */
  async #heapOf(server: LocalServer): Promise<number> {
    const client = this.#cluster.client(server);
    const { workers } = await this.#cluster.status(server);
    let sizeBytes = 0;
    for (const _ of workers) {
      const path = `/v1/services/${service}/invoke`;
      const { output } = await client.post<{ readonly output: { readonly heapBytes: number } }>(
        path,
        { input: {} },
      );
      sizeBytes += output.heapBytes;
    }
    return sizeBytes;
  }
}

function toMegabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}

// What lies around until the next collection would hide what is held for good.
const source = `import v8 from "node:v8";
import vm from "node:vm";
import { defineService } from "dragoman";

export const memory = defineService({
  name: "${service}",
  async handle() {
    v8.setFlagsFromString("--expose-gc");
    const collect = vm.runInNewContext("gc") as () => void;
    collect();
    await new Promise((resolve) => setTimeout(resolve, 20));
    collect();
    return { heapBytes: process.memoryUsage().heapUsed };
  },
});
`;

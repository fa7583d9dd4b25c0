import { defineService, z } from "../src/service/index.ts";
import { createTestKit } from "../src/service/testing/index.ts";
import { median } from "./load.ts";

const plain = defineService({ name: "bench.plain", handle: () => 1 });
const typed = defineService({
  name: "bench.typed",
  input: z.object({ id: z.int(), name: z.string() }),
  output: z.object({ id: z.int(), name: z.string() }),
  handle: ({ input }) => input,
});
const hooked = defineService({
  name: "bench.hooked",
  before: () => {},
  after: () => {},
  handle: () => 1,
});
const queued = defineService({ name: "bench.queued", maxConcurrent: 100, handle: () => 1 });
const limited = defineService({ name: "bench.limited", timeoutMs: 1_000, handle: () => 1 });

const perRun = 100_000;

const caller = defineService({
  name: "bench.caller",
  async handle({ invoke }) {
    const input = { id: 1, name: "Ana" };
    const timed = async (call: () => Promise<unknown>) => {
      const runs: number[] = [];
      for (let run = 0; run < 6; run++) {
        const startedAt = performance.now();
        for (let index = 0; index < perRun; index++) await call();
        runs.push((performance.now() - startedAt) * 1_000 / perRun);
      }
      return median(runs.slice(1)); // the first one warms up
    };
    return {
      "no schema": await timed(() => invoke(plain, undefined)),
      "by name": await timed(() => invoke("bench.plain")),
      "validated in and out": await timed(() => invoke(typed, input)),
      "before and after hooks": await timed(() => invoke(hooked, undefined)),
      "a bound on calls at once": await timed(() => invoke(queued, undefined)),
      "a time limit of its own": await timed(() => invoke(limited, undefined)),
    };
  },
});

/** What it costs a service to invoke another one in the same process. */
export async function benchInvoke(): Promise<void> {
  const kit = createTestKit({ services: [caller, plain, typed, hooked, queued, limited] });
  const { output } = await kit.run(caller, undefined);
  console.log("In-process invocation, microseconds\n");
  for (const [name, micros] of Object.entries(output)) {
    console.log(`${name.padEnd(28)} ${micros.toFixed(2)}`);
  }
  console.log("");
}

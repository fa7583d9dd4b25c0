import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { channel } from "../test/integration/data-plane/worker-process.ts";
import { startWorker, targetOf } from "./targets.ts";
import { measureInTurns, printTurns } from "./turns.ts";

const hello = join(dirname(fileURLToPath(import.meta.url)), "../examples/hello/hello.ts");
const body = JSON.stringify({ name: "Ana" });

/** The same requests to a worker with 10 channels and to one with 10,000. */
export async function benchRouting({ rounds = 5, seconds = 3 } = {}): Promise<void> {
  const [few, many] = await Promise.all(
    [10, 10_000].map((count) => startWorker(hello, channels(count))),
  );
  const paths = { "a fixed path": "/static/7", "a path with parameters": "/of/7/Ana/end" };
  try {
    for (const [name, path] of Object.entries(paths)) {
      const contenders = [
        { ...targetOf(few!, "10 channels", path), body },
        { ...targetOf(many!, "10,000 channels", path), body },
      ];
      const loads = await measureInTurns(contenders, { rounds, seconds });
      printTurns(loads, { title: `Routing: ${name}`, base: "10 channels" });
    }
  } finally {
    await few?.[Symbol.asyncDispose]();
    await many?.[Symbol.asyncDispose]();
  }
}

function channels(count: number) {
  return Array.from({ length: count }, (_, index) => {
    const path = index % 2 === 1 ? `/static/${index}` : `/of/${index + 1}/{name}/end`;
    return channel(path, "demo.hello");
  });
}

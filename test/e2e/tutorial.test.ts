import { readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { after, before, describe, it } from "node:test";
import { defaultPorts } from "../../src/config/schemas.ts";
import { findFreePort } from "../../src/lib/ports.ts";
import { readSteps } from "./markdown-steps.ts";
import { freeOffset } from "./quickstart.ts";
import { Reader } from "./reader.ts";

const tutorial = resolve(import.meta.dirname!, "../../docs/tutorial");
const pages = (await readdir(tutorial)).filter((name) => name.endsWith(".md")).toSorted();

describe("Who reads only the tutorial", { timeout: 600_000 }, () => {
  let reader: Reader;
  let hasFailed = false;

  before(async () => {
    const offset = await freeOffset();
    const create = "dragoman quickstart create demo --start";
    reader = await Reader.open({
      replacements: [
        [create, `${create} --port-offset ${offset}`],
        ["127.0.0.1:11223", `127.0.0.1:${defaultPorts.balancer + offset}`],
        ["9201", String(await findFreePort())],
      ],
    });
  });
  after(async () => {
    await using _ = reader;
    await reader.follow({ kind: "run", exitCode: 0, place: "the end", text: stopCluster });
  });

  for (const page of pages) {
    it(`can do what ${page} says`, async () => {
      // Each page goes on where the one before ended.
      if (hasFailed) throw new Error("A page before this one failed");
      hasFailed = true;
      for (const step of await readSteps(join(tutorial, page), `docs/tutorial/${page}`)) {
        await reader.follow(step);
      }
      hasFailed = false;
    });
  }
});

// What a failed page left running; the last page stops the cluster itself.
const stopCluster = `environment=\${DRAGOMAN_ENV:-demo}
if [ -d "$environment" ]; then dragoman quickstart stop "$environment"; fi`;

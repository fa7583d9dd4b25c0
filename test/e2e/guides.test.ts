import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, describe, it } from "node:test";
import { readSteps } from "./markdown-steps.ts";
import { dragomanOk, type Quickstart, startQuickstart } from "./quickstart.ts";
import { Reader } from "./reader.ts";

const guides = resolve(import.meta.dirname!, "../../docs/guides");

/** Those whose steps make a project of their own. */
const names = [
  "services",
  "rest-channels",
  "security",
  "deployments",
  "errors",
  "scheduling",
  "load-balancing",
  "cluster-by-hand",
];

describe("The guides are true", { timeout: 600_000 }, () => {
  let cluster: Quickstart;
  let directory = "";

  before(async () => {
    cluster = await startQuickstart();
    directory = await mkdtemp(join(tmpdir(), "dragoman-guides-"));
  });
  after(async () => {
    await cluster?.[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });

  for (const name of names) {
    it(name, async () => {
      const project = join(directory, name);
      await dragomanOk(["new", "project", project]);
      await using reader = await Reader.open({
        directory: project,
        replacements: [
          ["127.0.0.1:11223", new URL(cluster.balancerUrl).host],
          ["./prod", cluster.directory],
        ],
        env: { DRAGOMAN_ENV: cluster.directory },
      });

      for (const step of await readSteps(join(guides, `${name}.md`), `docs/guides/${name}.md`)) {
        await reader.follow(step);
      }
    });
  }
});

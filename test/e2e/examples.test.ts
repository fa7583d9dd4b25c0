import { existsSync, readdirSync } from "node:fs";
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, describe, it } from "node:test";
import { findFreePort } from "../../src/lib/ports.ts";
import { readSteps } from "./markdown-steps.ts";
import { type Quickstart, startQuickstart } from "./quickstart.ts";
import { Reader } from "./reader.ts";

const examples = resolve(import.meta.dirname!, "../../examples");

// Those without a page have tests of their own.
const names = readdirSync(examples).filter((name) => existsSync(join(examples, name, "README.md")));

/** Ports on which examples start what they call. */
const peerPorts = ["9201", "9202"] as const;

describe("The examples do what their pages say", { timeout: 600_000 }, () => {
  let cluster: Quickstart;
  let directory = "";

  before(async () => {
    cluster = await startQuickstart();
    directory = await mkdtemp(join(tmpdir(), "dragoman-examples-"));
  });
  after(async () => {
    await cluster?.[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });

  for (const name of names) {
    it(name, async () => {
      const ports = await Promise.all(peerPorts.map(() => findFreePort()));
      const replacements = [
        ["127.0.0.1:11223", new URL(cluster.balancerUrl).host],
        ["/tmp/dragoman-", join(directory, "data-")],
        ...peerPorts.map((port, index) => [port, String(ports[index])] as const),
      ] as const;
      // What it writes stays out of the checkout, and its ports are free.
      const copy = join(directory, name);
      await cp(join(examples, name), copy, {
        recursive: true,
        filter: (from) => !from.endsWith(".dragoman"),
      });
      await using reader = await Reader.open({
        directory: copy,
        replacements,
        env: { DRAGOMAN_ENV: cluster.directory },
      });
      await replaceIn(copy, (text) => reader.replace(text));

      for (const step of await readSteps(join(examples, name, "README.md"), name)) {
        await reader.follow(step);
      }
    });
  }
});

async function replaceIn(directory: string, replace: (text: string) => string): Promise<void> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((one) => one.isFile())) {
    const file = join(entry.parentPath, entry.name);
    await writeFile(file, replace(await readFile(file, "utf8")));
  }
}

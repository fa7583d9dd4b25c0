import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import { PickupDirectory, type PickupOptions } from "../../../src/admin-api/deploy/pickup.ts";
import { PlatformError } from "../../../src/errors/platform-error.ts";
import { poll } from "../../../src/lib/wait.ts";
import { stopBundler } from "../../../src/server/deploy/bundle.ts";
import { silentLogger } from "../../../src/telemetry/logger.ts";

let root: string;
let directory: string;
let outside: string;

before(async () => {
  root = await mkdtemp(join(tmpdir(), "dragoman-pickup-"));
});

beforeEach(async () => {
  directory = await mkdtemp(join(root, "in-"));
  outside = await mkdtemp(join(root, "out-"));
});

after(async () => {
  await stopBundler();
  await rm(root, { recursive: true, force: true });
});

const deployed = { outcome: "deployed", revision: 1, files: [], servers: [] } as const;

function pickup(server: string, deploy: PickupOptions["deploy"]): PickupDirectory {
  const times = { stableMs: 20, pollMs: 50 };
  return new PickupDirectory({ directory, server, deploy, logger: silentLogger, ...times });
}

async function drop(name: string, text = "export const a = 1;\n"): Promise<void> {
  await writeFile(join(outside, name), text);
  await rename(join(outside, name), join(directory, name));
}

/** The names in a folder without their time stamps, once there are so many. */
async function filesIn(folder: string, count: number): Promise<readonly string[]> {
  const names = await poll(async () => {
    const found = await readdir(join(directory, folder));
    return found.length >= count ? found : undefined;
  }, { timeoutMs: 10_000, intervalMs: 10 });
  assert.ok(names, `${folder} never held ${count}`);
  return names.map((name) => name.replace(/\.\d{8}T\d{9}/, "")).sort();
}

describe("PickupDirectory", () => {
  it("of two servers that watch one directory deploys each file once, in order of names", async () => {
    const names = Array.from({ length: 12 }, (_, index) => `f${String(index).padStart(2, "0")}.ts`);
    for (const name of names) await drop(name);
    const seen: string[][] = [[], []];
    const both = [0, 1].map((index) =>
      pickup(`server${index}`, ({ name }) => {
        seen[index]!.push(name);
        return Promise.resolve(deployed);
      })
    );

    await Promise.all(both.map((one) => one.start()));
    const processed = await filesIn("processed", 12);
    await Promise.all(both.map((one) => one.stop()));

    assert.deepEqual(processed, names);
    assert.deepEqual(seen.flat().sort(), names);
    for (const own of seen) assert.deepEqual(own, own.toSorted());
  });

  it("puts a file back while the ODB is away, and leaves what is no source alone", async () => {
    await drop("a.ts");
    await drop("notes.py", "");
    let tries = 0;
    const one = pickup("server1", () => {
      tries++;
      return Promise.reject(new PlatformError("ODB_UNREACHABLE", { address: "x", reason: "y" }));
    });

    await one.start();
    await poll(() => tries > 0 || undefined, { timeoutMs: 10_000 });
    await one.stop();

    assert.deepEqual((await readdir(directory)).sort(), [
      "a.ts",
      "notes.py",
      "processed",
      "rejected",
    ]);
  });

  it("says beside a rejected file why each server rejected it", async () => {
    await drop("a.ts");
    await drop("b.ts", "export const = ;\n");
    const reason = '"a.ts" does not load: no luck';
    const one = pickup("server1", () =>
      Promise.resolve({
        ...deployed,
        outcome: "rejected",
        servers: [{ server: "server2", outcome: "failed", reason }],
      }));

    await one.start();
    const rejected = await filesIn("rejected", 4);
    await one.stop();

    assert.deepEqual(rejected, ["a.ts", "a.ts.txt", "b.ts", "b.ts.txt"]);
    const texts = await Promise.all(
      (await readdir(join(directory, "rejected"))).filter((name) => name.endsWith(".txt")).sort()
        .map((name) => readFile(join(directory, "rejected", name), "utf8")),
    );
    assert.match(texts[0]!, /no luck\nserver2: failed/);
    assert.match(texts[1]!, /b\.ts:1:14: Expected identifier/);
  });

  it("takes up at its start what it had in hand when it was killed", async () => {
    await writeFile(join(directory, ".taken-by-server1-a.ts"), "export const a = 1;\n");
    await writeFile(join(directory, ".taken-by-server2-b.ts"), "export const b = 1;\n");
    const one = pickup("server1", () => Promise.resolve(deployed));

    await one.start();
    const processed = await filesIn("processed", 1);
    await one.stop();

    assert.deepEqual(processed, ["a.ts"]);
    assert.ok((await readdir(directory)).includes(".taken-by-server2-b.ts"));
  });
});

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { processStartTicks } from "../../lib/processes.ts";
import { dropPidFile, readPidFile, takePidFile } from "./pid-file.ts";

describe("A pid file", () => {
  let directory = "";
  let next = 0;
  const fresh = () => join(directory, String(next++), "pid");

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "dragoman-pid-"));
  });
  after(() => rm(directory, { recursive: true, force: true }));

  it("is nobody's when it does not exist", async () => {
    assert.equal(await readPidFile(fresh()), undefined);
  });

  it("names this process once it is taken, and is gone once it is dropped", async () => {
    const file = fresh();

    assert.equal(await takePidFile(file), undefined);
    const owner = await readPidFile(file);
    await dropPidFile(file);

    assert.equal(owner?.pid, process.pid);
    assert.equal(owner?.alive, true);
    assert.equal(await readPidFile(file), undefined);
  });

  it("is not taken from a live owner", async () => {
    const file = fresh();
    await takePidFile(file);

    const owner = await takePidFile(file);

    assert.equal(owner?.pid, process.pid);
  });

  it("is won by exactly one of many that want it at once, over a stale one", async () => {
    for (let round = 0; round < 50; round++) {
      const file = fresh();
      await takePidFile(file);
      await writeFile(file, "4194304 1 2026-01-01T00:00:00.000Z\n");

      const owners = await Promise.all(Array.from({ length: 8 }, () => takePidFile(file)));

      assert.equal(owners.filter((owner) => owner === undefined).length, 1);
    }
  });

  it("of a process whose number was given to another one is stale", async () => {
    const file = fresh();
    await takePidFile(file);
    const ticks = processStartTicks(process.pid)!;
    const text = await readFile(file, "utf8");
    await writeFile(file, text.replace(` ${ticks} `, ` ${ticks - 1} `));

    assert.equal((await readPidFile(file))?.alive, false);
    assert.equal(await takePidFile(file), undefined);
  });

  it("that was cut short is stale", async () => {
    const file = fresh();
    await takePidFile(file);
    await writeFile(file, "");

    assert.deepEqual(await readPidFile(file), { pid: 0, startedAt: "", alive: false });
  });

  it("is not dropped when another process owns it", async () => {
    const file = fresh();
    await takePidFile(file);
    await writeFile(file, `1 - 2026-01-01T00:00:00.000Z\n`);

    await dropPidFile(file);

    assert.equal((await readPidFile(file))?.pid, 1);
  });
});

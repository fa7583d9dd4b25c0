import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { isPlatformError } from "../../errors/platform-error.ts";
import { isProcessAlive } from "../../lib/processes.ts";
import {
  endLeftovers,
  identifyProcess,
  loadLeftovers,
  type ProcessRecord,
  processRecordFile,
  saveProcessRecord,
} from "./process-record.ts";

describe("the record of processes", () => {
  let directory: string;
  let file: string;
  const sleeper = spawn("sleep", ["60"]);
  const gone = { pid: 4_000_000 };
  const socket = "/run/haproxy.sock";

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "dragoman-record-"));
    await mkdir(join(directory, "run"));
    file = processRecordFile(join(directory, "run"));
  });
  after(async () => {
    if (sleeper.exitCode === null && sleeper.signalCode === null) {
      sleeper.kill("SIGKILL");
      await once(sleeper, "exit");
    }
    await rm(directory, { recursive: true });
  });

  const save = (record: ProcessRecord) => saveProcessRecord(file, record);

  it("names nothing when there is none, or a damaged one", async () => {
    assert.equal(await loadLeftovers(file), undefined);
    await writeFile(file, '{"agent":');
    assert.equal(await loadLeftovers(file), undefined);
  });

  it("leaves a process alone that has the number of one of ours but another start", async () => {
    const id = identifyProcess(sleeper.pid!); // it was started above
    await save({
      agent: gone,
      socket,
      processes: [{ pid: id.pid, startTicks: id.startTicks! - 1 }],
    });

    assert.deepEqual(await endLeftovers(directory), []);
    assert.ok(isProcessAlive(id.pid));
  });

  it("refuses to touch anything while the agent lives", async () => {
    const agent = identifyProcess(sleeper.pid!); // it was started above
    await save({ agent, socket, processes: [agent] });

    await assert.rejects(
      endLeftovers(directory),
      (error) => isPlatformError(error, "BALANCER_ALREADY_RUNNING"),
    );
    assert.ok(isProcessAlive(agent.pid));
  });

  it("leads to the processes of an agent that is gone, and ends them", async () => {
    const id = identifyProcess(sleeper.pid!); // it was started above
    await save({ agent: gone, socket, processes: [id, gone] });

    assert.deepEqual((await loadLeftovers(file))?.processes, [id]);
    assert.deepEqual(await endLeftovers(directory), [id.pid]);
    assert.equal(isProcessAlive(id.pid), false);
    await assert.rejects(stat(file));
  });
});

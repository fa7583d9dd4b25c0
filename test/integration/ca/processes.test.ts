import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { listCertificates } from "../../../src/ca/index.ts";
import { poll } from "../../../src/lib/wait.ts";
import { createTestAuthority, type TestAuthority } from "./issued-identities.ts";

const script = join(import.meta.dirname!, "issue-one.ts");

function startIssuing(authority: TestAuthority, name: string, count: number) {
  return spawn(process.execPath, ["run", "-A", script, authority.directory, name, String(count)], {
    stdio: ["ignore", "inherit", "inherit"],
  });
}

describe("Several processes that issue certificates at once", () => {
  let authority: TestAuthority;
  before(async () => authority = await createTestAuthority());
  after(() => authority.remove());

  it("lose none of them, even when one of the processes is killed", async () => {
    const children = ["a", "b"].map((name) => startIssuing(authority, name, 10));
    const victim = startIssuing(authority, "victim", 1_000);
    const listed = async () => (await listCertificates(authority.directory)).map(nameOf);
    const nameOf = ({ identity }: { identity: { name: string } }) => identity.name;

    const exits = children.map(async (child) => (await once(child, "exit"))[0]);
    const victimEnded = once(victim, "exit");
    await poll(
      async () => (await listed()).some((name) => name.startsWith("victim")) || undefined,
      { timeoutMs: 30_000, intervalMs: 10 },
    );
    assert.equal(victim.exitCode, null, "the process that is to be killed issues certificates");
    victim.kill("SIGKILL");
    await victimEnded;

    assert.deepEqual(await Promise.all(exits), [0, 0]);
    // The others may have been done before the kill: somebody has to want the lock.
    const [last] = await once(startIssuing(authority, "last", 1), "exit");
    const names = (await listed()).filter((name) => !name.startsWith("victim"));
    assert.equal(last, 0);
    assert.equal(new Set(names).size, 21);
    const material = await readdir(join(authority.directory, "ca-material"));
    assert.ok(!material.includes("index.lock"), "the lock of the dead process was taken over");
  });
});

import assert from "node:assert/strict";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { isPlatformError } from "../../errors/platform-error.ts";
import { findHaproxy } from "./binary.ts";

describe("findHaproxy", () => {
  let directory: string;
  before(async () => directory = await mkdtemp(join(tmpdir(), "dragoman-binary-")));
  after(() => rm(directory, { recursive: true }));

  async function program(output: string): Promise<string> {
    const path = join(directory, `haproxy-${crypto.randomUUID()}`);
    await writeFile(path, `#!/bin/sh\necho '${output}'\n`);
    await chmod(path, 0o755);
    return path;
  }

  it("reads the version, as every release writes it", async () => {
    const old = await program("HA-Proxy version 2.4.22 2023/02/14 - https://haproxy.org/");
    const path = await program("HAProxy version 3.0.1-1ubuntu1 2024/06/10 - https://haproxy.org/");

    assert.deepEqual(await findHaproxy(old), { path: old, version: "2.4.22" });
    assert.deepEqual(await findHaproxy(path), { path, version: "3.0.1" });
  });

  it("refuses one that is too old, naming both versions", async () => {
    const path = await program("HA-Proxy version 2.2.9-2+deb11u6 2023/12/28");

    await assert.rejects(findHaproxy(path), (error: unknown) => {
      assert.ok(isPlatformError(error, "BALANCER_HAPROXY_TOO_OLD"));
      assert.match(error.message, /2\.2\.9.*2\.4/);
      return true;
    });
  });

  it("says which package to install when there is none", async () => {
    for (const path of [join(directory, "nowhere"), await program("something else")]) {
      await assert.rejects(findHaproxy(path), (error: unknown) => {
        assert.ok(isPlatformError(error, "BALANCER_HAPROXY_MISSING"));
        assert.ok(error.message.includes(path));
        assert.match(error.advice ?? "", /apt-get install haproxy/);
        return true;
      });
    }
  });
});

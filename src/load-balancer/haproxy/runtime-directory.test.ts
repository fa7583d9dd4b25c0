import assert from "node:assert/strict";
import { chmod, mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { isPlatformError } from "../../errors/platform-error.ts";
import { createLogger, silentLogger } from "../../telemetry/logger.ts";
import { closeRuntimeFiles, openRuntimeFiles } from "./runtime-directory.ts";

describe("openRuntimeFiles", () => {
  it("uses run/ when a socket fits there", async () => {
    const files = await openRuntimeFiles("/srv/balancer/run", { logger: silentLogger });

    assert.equal(files.socket, "/srv/balancer/run/haproxy.sock");
  });

  for (const unsuited of [`/srv/${"long/".repeat(30)}run`, "/srv/with space/run", "/srv/a,b/run"]) {
    it(`uses a private directory instead of ${unsuited.slice(0, 20)}, and says so`, async () => {
      const lines: string[] = [];
      const logger = createLogger({ write: (line) => void lines.push(line) });

      const { socket } = await openRuntimeFiles(unsuited, { logger });
      const again = await openRuntimeFiles(unsuited, { logger });
      const { mode } = await stat(dirname(socket));
      await closeRuntimeFiles(again, unsuited);

      assert.ok(Buffer.byteLength(socket) <= 90);
      assert.equal(again.socket, socket);
      assert.equal(mode & 0o777, 0o700);
      await assert.rejects(stat(dirname(socket)));
      assert.ok(lines.some((line) => line.includes(dirname(socket))));
    });
  }

  it("refuses a directory that others may enter", async () => {
    const unsuited = `${await mkdtemp(join(tmpdir(), "dragoman-odd "))}/run`;
    const { socket } = await openRuntimeFiles(unsuited, { logger: silentLogger });
    await chmod(dirname(socket), 0o755);

    await assert.rejects(
      openRuntimeFiles(unsuited, { logger: silentLogger }),
      (error) => isPlatformError(error, "BALANCER_SOCKET_PATH"),
    );
    await rm(dirname(socket), { recursive: true });
    await rm(dirname(unsuited), { recursive: true });
  });
});

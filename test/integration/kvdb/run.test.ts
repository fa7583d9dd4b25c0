import assert from "node:assert/strict";
import { once } from "node:events";
import { access, chmod, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import type { RunningComponent } from "../../../src/config/running-component.ts";
import { PlatformError } from "../../../src/errors/platform-error.ts";
import { openKvdb } from "../../../src/kvdb/client.ts";
import { createKvdb, type CreateKvdbOptions } from "../../../src/kvdb/create.ts";
import { runKvdb } from "../../../src/kvdb/run.ts";
import { findFreePort } from "../../../src/lib/ports.ts";
import { isProcessAlive } from "../../../src/lib/processes.ts";
import { createLogger, silentLogger } from "../../../src/telemetry/logger.ts";
import { redisProgram } from "../../peers/redis.ts";

const password = 'a "quoted" \\ pass wörd #1';

let parent: string;
let directory: string;
let port: number;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), "kvdb-run-"));
  directory = join(parent, "kvdb");
  port = await findFreePort();
});
afterEach(() => rm(parent, { recursive: true, force: true }));

for (const engine of ["embedded", "redis"] as const) {
  describe(`runKvdb with the ${engine} engine`, () => {
    it("answers to its password only, and keeps data through a restart", async () => {
      await create({ engine });
      await withRunning(async (running) => {
        assert.deepEqual(running.ports, { kvdb: port });
        await withClient(password, (redis) => redis.set("kept", "yes"));
        await assert.rejects(withClient("wrong", (redis) => redis.get("kept")), /WRONGPASS/);
      });
      await assert.rejects(withClient(password, (redis) => redis.get("kept")), /refused/i);
      await withRunning(async () => {
        assert.equal(await withClient(password, (redis) => redis.get("kept")), "yes");
      });
    });

    it("names an occupied port and what to do", async () => {
      await create({ engine });
      const other = createServer().listen(port, "127.0.0.1");
      await once(other, "listening");
      try {
        await assert.rejects(runKvdb(directory, { logger: silentLogger }), (error) => {
          assert.ok(error instanceof PlatformError && error.code === "KVDB_PORT_IN_USE");
          assert.match(error.message, new RegExp(`${port}`));
          assert.match(error.advice!, /listen\.port/);
          return true;
        });
      } finally {
        other.close();
      }
      await withRunning(() => withClient(password, (redis) => redis.ping()));
    });

    it("does not listen for everybody without a password", async () => {
      await create({ engine, password: undefined, host: "0.0.0.0" });

      await rejectsWith(runKvdb(directory, { logger: silentLogger }), "KVDB_UNPROTECTED");
    });

    it("may be stopped twice", async () => {
      await create({ engine });
      const running = await runKvdb(directory, { logger: silentLogger });
      await running.stop();
      await running.stop();
    });
  });
}

describe("runKvdb with the redis engine", () => {
  it("keeps the password out of arguments, logs and readable files", async () => {
    await create({ engine: "redis" });
    const lines: string[] = [];
    const logger = createLogger({ level: "debug", write: (line) => lines.push(line) });
    const running = await runKvdb(directory, { logger });
    try {
      const pid = await childPid();
      const shown = await readFile(`/proc/${pid}/cmdline`, "utf8");
      assert.doesNotMatch(shown + lines.join(), /quoted/);
      const config = await stat(join(directory, "run", "kvdb-server.conf"));
      assert.equal(config.mode & 0o777, 0o600);
      assert.ok(lines.some((line) => line.includes("Ready to accept connections")));
    } finally {
      await running.stop();
    }
  });

  it("reports a child that dies", async () => {
    await create({ engine: "redis" });
    const running = await runKvdb(directory, { logger: silentLogger });
    try {
      process.kill(await childPid(), "SIGKILL");

      await rejectsWith(running.failed, "KVDB_DIED", /SIGKILL/);
    } finally {
      await running.stop();
    }
  });

  it("tells why a child does not start", async () => {
    await create({ engine: "redis" });
    const program = join(parent, "broken-server");
    await writeFile(program, "#!/bin/sh\necho 'no luck today'\nexit 3\n");
    await chmod(program, 0o755);
    await configure((text) => text + `serverPath: ${program}\n`);

    const starting = runKvdb(directory, { logger: silentLogger });

    await rejectsWith(starting, "KVDB_START_FAILED", /exit code 3; no luck today/);
  });

  it("names a configured program that is not there", async () => {
    await create({ engine: "redis" });
    await configure((text) => text + "serverPath: /nowhere/redis-server\n");

    await rejectsWith(
      runKvdb(directory, { logger: silentLogger }),
      "KVDB_PROGRAM_MISSING",
      /\/nowhere\/redis-server/,
    );
  });

  it("ends the child that a killed run has left behind", async () => {
    await create({ engine: "redis" });
    const first = await runKvdb(directory, { logger: silentLogger });
    const left = await childPid();

    // The first run forgets nothing, as if it had been killed: the second finds its child alive.
    const second = await runKvdb(directory, { logger: silentLogger });
    try {
      assert.ok(!isProcessAlive(left));
      assert.equal(await withClient(password, (redis) => redis.ping()), "PONG");
    } finally {
      await second.stop();
      await first.stop();
    }
  });
});

describe("createKvdb", () => {
  it("prefers an installed server", async () => {
    redisProgram("redis-server");

    assert.equal((await create({ engine: "auto" })).engine, "redis");
  });

  it("falls back to the embedded one, and names the package when redis was wanted", async () => {
    await withoutPrograms(async () => {
      await rejectsWith(create({ engine: "redis" }), "KVDB_PROGRAM_MISSING", /redis-server/);
      await assert.rejects(access(directory));
      assert.equal((await create({ engine: "auto" })).engine, "embedded");
    });
  });

  it("keeps the password in a file of its own", async () => {
    await create({ engine: "embedded" });

    const secret = join(directory, "secrets", "kvdb-password");
    assert.equal(await readFile(secret, "utf8"), password);
    assert.equal((await stat(secret)).mode & 0o777, 0o600);
    assert.doesNotMatch(await readFile(join(directory, "config.yaml"), "utf8"), /quoted/);
  });

  const refusals: Readonly<Record<string, [Partial<CreateKvdbOptions>, string]>> = {
    "a password of two lines": [{ password: "a\nb" }, "KVDB_PASSWORD_INVALID"],
    "an empty password": [{ password: "" }, "KVDB_PASSWORD_INVALID"],
    "a port that is none": [{ port: 70_000 }, "CONFIG_INVALID"],
    "a name that is none": [{ name: "a b" }, "CONFIG_INVALID"],
  };
  for (const [what, [options, code]] of Object.entries(refusals)) {
    it(`refuses ${what} and makes nothing`, async () => {
      await rejectsWith(create({ engine: "embedded", ...options }), code);
      await assert.rejects(access(directory));
    });
  }

  it("leaves a directory alone that is not empty", async () => {
    await create({ engine: "embedded" });

    await rejectsWith(create({ engine: "embedded" }), "KVDB_DIRECTORY_NOT_EMPTY");
  });
});

function create(options: Partial<CreateKvdbOptions> & Pick<CreateKvdbOptions, "engine">) {
  return createKvdb(directory, { name: "kvdb", host: "127.0.0.1", port, password, ...options });
}

async function configure(edit: (text: string) => string): Promise<void> {
  const file = join(directory, "config.yaml");
  await writeFile(file, edit(await readFile(file, "utf8")));
}

async function withRunning(use: (running: RunningComponent) => Promise<unknown>): Promise<void> {
  const running = await runKvdb(directory, { logger: silentLogger });
  try {
    await use(running);
  } finally {
    await running.stop();
  }
}

async function withClient<T>(
  secret: string,
  use: (redis: ReturnType<typeof openKvdb>["redis"]) => Promise<T>,
): Promise<T> {
  const url = `redis://127.0.0.1:${port}`;
  const kvdb = openKvdb({ url, password: secret, cluster: "test", logger: silentLogger });
  try {
    await kvdb.ping();
    return await use(kvdb.redis);
  } finally {
    await kvdb.close();
  }
}

async function childPid(): Promise<number> {
  const text = await readFile(join(directory, "run", "kvdb-server.pid"), "utf8");
  return Number(text.split(" ")[0]);
}

/** As on a machine where nothing is installed. */
async function withoutPrograms(use: () => Promise<void>): Promise<void> {
  const path = process.env["PATH"];
  process.env["PATH"] = parent;
  try {
    await use();
  } finally {
    process.env["PATH"] = path;
  }
}

async function rejectsWith(
  promise: Promise<unknown>,
  code: string,
  message = /./,
): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof PlatformError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    return true;
  });
}

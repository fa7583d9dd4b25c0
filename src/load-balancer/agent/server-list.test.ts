import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import { isPlatformError } from "../../errors/platform-error.ts";
import { silentLogger } from "../../telemetry/logger.ts";
import type { BackendServer } from "../engine.ts";
import { loadServers, ServerList } from "./server-list.ts";

describe("ServerList", () => {
  let directory: string;
  let file: string;
  let live: readonly BackendServer[];
  let running: number;
  let refuse: Error | undefined;
  let list: ServerList;

  const engine = {
    async setServers(servers: readonly BackendServer[]) {
      running++;
      assert.equal(running, 1, "two changes at once");
      await Promise.resolve();
      running--;
      if (refuse !== undefined) throw refuse;
      live = servers;
    },
  };
  const remembered = async () => JSON.parse(await readFile(file, "utf8"));
  const at = (port: number) => ({ host: "127.0.0.1", port });

  before(async () => directory = await mkdtemp(join(tmpdir(), "dragoman-servers-")));
  after(() => rm(directory, { recursive: true }));
  beforeEach(() => {
    file = join(directory, `${crypto.randomUUID()}.json`);
    live = [];
    running = 0;
    refuse = undefined;
    list = new ServerList([], { file, engine, logger: silentLogger });
  });

  it("makes changes live one after the other, and remembers them", async () => {
    await Promise.all([
      list.register("b", at(2)),
      list.register("a", at(1)),
      list.setDraining("b", true),
      list.register("c", at(3)),
      list.leave("c"),
      list.leave("never-was"),
    ]);

    const wanted = [
      { name: "a", ...at(1), draining: false },
      { name: "b", ...at(2), draining: true },
    ];
    assert.deepEqual(live, wanted);
    assert.deepEqual(await remembered(), wanted);
    assert.deepEqual(await loadServers(file), wanted);
  });

  it("moves a server that registers again, and ends its draining", async () => {
    await list.register("a", at(1));
    await list.setDraining("a", true);

    await list.register("a", at(9));

    assert.deepEqual(live, [{ name: "a", ...at(9), draining: false }]);
  });

  it("remembers nothing of what the engine refuses", async () => {
    await list.register("a", at(1));
    refuse = new Error("no");

    await assert.rejects(list.register("b", at(2)), refuse);

    assert.deepEqual((await remembered()).map(({ name }: BackendServer) => name), ["a"]);
    refuse = undefined;
    await list.register("c", at(3));
    assert.deepEqual(live.map(({ name }) => name), ["a", "c"]);
  });

  it("names the nearest server when one to drain is not there", async () => {
    await list.register("server1", at(1));

    await assert.rejects(
      list.setDraining("sever1", true),
      (error: unknown) =>
        isPlatformError(error, "BALANCER_NO_SUCH_SERVER") && error.message.includes('"server1"'),
    );
  });

  it("does not take over a remembered file that is damaged or was tampered with", async () => {
    const hostile = [{ name: "a\n  server evil 6.6.6.6:80", ...at(1), draining: false }];
    for (const text of ["", "{", "{}", JSON.stringify(hostile)]) {
      await writeFile(file, text);
      await assert.rejects(
        loadServers(file),
        (error) => isPlatformError(error, "BALANCER_STATE_UNREADABLE"),
      );
    }
  });

  it("begins with nothing when nothing was remembered", async () => {
    assert.deepEqual(await loadServers(join(directory, "none.json")), []);
  });
});

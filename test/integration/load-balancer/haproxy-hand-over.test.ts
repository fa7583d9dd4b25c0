import assert from "node:assert/strict";
import { chmod, mkdir, rm, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { poll } from "../../../src/lib/wait.ts";
import { findHaproxy } from "../../../src/load-balancer/haproxy/binary.ts";
import { killableEngine, untilGone } from "./haproxy-agent-process.ts";
import { RawConnection, renderRequest, request } from "./haproxy-client.ts";
import { HaproxySetup, testHopKey } from "./haproxy-setup.ts";

const nextKey = "n".repeat(43);

/** What the server that answers first says; a HAProxy that is being started may take a moment. */
async function firstAnswer(
  { port }: HaproxySetup,
): Promise<{ readonly server: string; readonly headers: Readonly<Record<string, string>> }> {
  const ask = () => request(port).catch(() => undefined); // refused until it listens
  const isThere = async () => {
    const answer = await ask();
    return answer?.status === 200 ? answer.body : undefined;
  };
  return JSON.parse(await poll(isThere, { timeoutMs: 5_000, intervalMs: 20 }) ?? "{}");
}

/** What servers are shown. */
async function shownKey(setup: HaproxySetup): Promise<string | undefined> {
  return (await firstAnswer(setup)).headers["x-dragoman-hop"];
}

/** A request whose answer has begun and goes on when the server is told so. */
async function openStream(setup: HaproxySetup): Promise<RawConnection> {
  const connection = await RawConnection.open(setup.port);
  connection.write(renderRequest({ path: "/stream" }));
  await connection.readUntil("\r\n\r\n");
  return connection;
}

/** Lets the rest of the answer come; fails when the stream is cut instead. */
async function finishStream(stream: RawConnection, backendPort: number): Promise<void> {
  await request(backendPort, { path: "/stream/release" });
  await stream.readUntil("0\r\n\r\n");
  stream.close();
}

/** A HAProxy that can be held up after it was started and has read its file. */
class SlowHaproxy {
  readonly path: string;
  readonly #hold: string;
  readonly #held: string;

  private constructor(directory: string) {
    this.path = join(directory, "slow-haproxy");
    this.#hold = join(directory, "hold");
    this.#held = join(directory, "held");
  }

  static async make(setup: HaproxySetup): Promise<SlowHaproxy> {
    const slow = new SlowHaproxy(setup.directory);
    const { path } = await findHaproxy();
    const script = [
      "#!/bin/sh",
      `if [ "$1" = -db ] && [ -e '${slow.#hold}' ]; then`,
      `  cp "$3" "$3.read"; : > '${slow.#held}'`,
      `  while [ -e '${slow.#hold}' ]; do sleep 0.02; done`,
      `  f="$3.read"; shift 3; exec '${path}' -db -f "$f" "$@"`,
      "fi",
      `exec '${path}' "$@"`,
    ];
    await writeFile(slow.path, script.join("\n") + "\n");
    await chmod(slow.path, 0o700);
    return slow;
  }

  /** Kills the one that serves; resolves when the next one has been started and is held up. */
  async killAndHold(setup: HaproxySetup): Promise<void> {
    await writeFile(this.#hold, "");
    process.kill(await setup.haproxyPid(), "SIGKILL");
    assert.ok(
      await poll(() => existsSync(this.#held) || undefined, { timeoutMs: 5_000, intervalMs: 10 }),
    );
  }

  release(): Promise<void> {
    return rm(this.#hold);
  }
}

describe("A key towards servers", () => {
  it("is brought again when the hand-over failed", async () => {
    await using setup = await HaproxySetup.open();
    const [a] = await setup.backends("a");
    const engine = await setup.start([a!]);
    const state = join(setup.paths.run, "haproxy.state");
    await rm(state);
    await mkdir(state);

    await assert.rejects(engine.useHopKey(nextKey));
    assert.equal(await shownKey(setup), `v1-${testHopKey}`);
    await rm(state, { recursive: true });
    await engine.useHopKey(nextKey);

    assert.equal(await shownKey(setup), `v1-${nextKey}`);
  });

  it("reaches a HAProxy that was just being started again", async () => {
    await using setup = await HaproxySetup.open();
    const slow = await SlowHaproxy.make(setup);
    const [a] = await setup.backends("a");
    const engine = await setup.createEngine({ ...setup.config, haproxyPath: slow.path });
    await engine.start([a!]);
    await slow.killAndHold(setup);

    const brought = engine.useHopKey(nextKey);
    await slow.release();
    await brought;

    assert.equal(await shownKey(setup), `v1-${nextKey}`);
  });
});

describe("A registration", () => {
  it("reaches a HAProxy that was just being started again", async () => {
    await using setup = await HaproxySetup.open();
    const slow = await SlowHaproxy.make(setup);
    const [a, b] = await setup.backends("a", "b");
    const engine = await setup.createEngine({ ...setup.config, haproxyPath: slow.path });
    await engine.start([a!]);
    await slow.killAndHold(setup);

    const changed = engine.setServers([b!]);
    // It gets as far as it can before HAProxy goes on.
    await poll(() => engine.configuration.text().includes("server b ") || undefined, {
      timeoutMs: 500,
      intervalMs: 10,
    });
    await slow.release();
    await changed;

    assert.equal((await firstAnswer(setup)).server, "b");
  });
});

describe("A request that a HAProxy from before a reload has", () => {
  it("is finished before the balancer stops", async () => {
    await using setup = await HaproxySetup.open();
    const [a] = await setup.backends("a");
    const engine = await setup.start([a!]);
    const stream = await openStream(setup);
    await engine.useHopKey(nextKey);
    assert.equal((await engine.status()).finishing, 1);

    const stopped = engine.stop({ drainMs: 5_000 });
    const refused = () => request(setup.port).then(() => undefined, () => true);
    assert.ok(await poll(refused, { timeoutMs: 5_000, intervalMs: 50 }));
    await finishStream(stream, a!.port);
    await stopped;
  });

  it("is finished while agents come and go", async () => {
    await using setup = await HaproxySetup.open();
    const [a] = await setup.backends("a");
    const agents = [await killableEngine(setup, [a!])];
    const stream = await openStream(setup);
    process.kill(agents[0]!.agent, "SIGKILL");
    await untilGone(agents[0]!.agent);
    agents.push(await killableEngine(setup, [a!]));
    process.kill(agents[1]!.agent, "SIGKILL");
    await untilGone(agents[1]!.agent);

    const engine = await setup.start([a!]);

    assert.ok((await engine.status()).finishing >= 1);
    await finishStream(stream, a!.port);
    for (const { haproxy } of agents) assert.ok(await untilGone(haproxy));
    assert.equal((await engine.status()).finishing, 0);
  });
});

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { StoredObject } from "../src/catalog/kind.ts";
import type { InitMessage } from "../src/server/worker/protocol.ts";
import { findExecutable } from "../src/lib/executables.ts";
import { findFreePort } from "../src/lib/ports.ts";
import { poll } from "../src/lib/wait.ts";
import { kinds } from "../src/connectors/registry.ts";
import { parseClusterKey } from "../src/security/cluster-key.ts";
import { sealSpec } from "../src/security/secrets.ts";
import { bundleFile, stopBundler } from "../src/server/deploy/bundle.ts";
import {
  channel,
  clusterKey,
  object,
  overload,
  storeBundle,
  WorkerProcess,
} from "../test/integration/data-plane/worker-process.ts";
import { pinToFirstCore } from "./load.ts";

/** Something that answers the same request. */
export interface Target {
  readonly name: string;
  readonly url: string;
  readonly pid: number;
  readonly apiKey?: string;
  stop(): Promise<void>;
}

const here = dirname(fileURLToPath(import.meta.url));
/** A worker with one file of services on the first core. */
export async function startWorker(
  file: string,
  objects: readonly StoredObject[],
  init: Partial<InitMessage> = {},
): Promise<WorkerProcess> {
  const worker = await WorkerProcess.start({
    environment: "production",
    logLevel: "warn",
    limits: { stallMs: 30_000, requestMs: 60_000, bodyBytes: 64 * 1024 * 1024, overload },
    ...init,
  });
  const { code } = await bundleFile(file);
  await stopBundler();
  const bundle = await storeBundle(worker.directory, { file: basename(file), code });
  const { failures } = await worker.configure({
    upserted: objects,
    bundles: [bundle],
  });
  if (failures.length > 0) throw new Error(JSON.stringify(failures.slice(0, 3)));
  await pinToFirstCore(worker.child.pid!); // it has answered
  return worker;
}

/** One of a worker's channels as a target; whoever started the worker stops it. */
export function targetOf(worker: WorkerProcess, name: string, path: string): Target {
  const stop = () => worker[Symbol.asyncDispose]();
  return { name, url: worker.url + path, pid: worker.child.pid!, stop }; // it has answered
}

/** The key of `keyObject`. */
export const apiKey = "bench-0123456789abcdef";

/** A security definition `bench` that takes `apiKey`. */
export async function keyObject(): Promise<StoredObject> {
  const key = parseClusterKey(clusterKey);
  const spec = await sealSpec(kinds.get("ApiKey")!, { key: apiKey }, { key, name: "bench" });
  return object("ApiKey", "bench", spec);
}

/** One worker with the demo service; open, and behind an API key. */
export async function startDragoman(): Promise<readonly [Target, Target]> {
  const worker = await startWorker(join(here, "../examples/hello/hello.ts"), [
    await keyObject(),
    channel("/open", "demo.hello"),
    channel("/keyed", "demo.hello", { security: ["bench"] }),
  ]);
  return [
    { ...targetOf(worker, "Dragoman, validation, API key", "/keyed"), apiKey },
    targetOf(worker, "Dragoman, validation, open", "/open"),
  ];
}

export function startDenoEcho(): Promise<Target> {
  return startProcess("bare Deno.serve", (port) => [
    process.execPath,
    ["run", "-A", "--unstable-net", join(here, "peers/deno-echo.ts"), String(port)],
  ]);
}

/** Undefined where there is no `node`. */
export async function startFastify(): Promise<Target | undefined> {
  const node = findExecutable("node");
  if (node === undefined) return undefined;
  return await startProcess("bare Fastify on Node", (port) => [
    node,
    [join(here, "peers/fastify-echo.mjs"), String(port)],
  ]);
}

/** Undefined where gunicorn is not installed. */
export async function startGunicorn(): Promise<Target | undefined> {
  const gunicorn = findExecutable("gunicorn");
  if (gunicorn === undefined) return undefined;
  return await startProcess("bare gunicorn + gevent", (port) => [
    gunicorn,
    [
      "-k",
      "gevent",
      "-w",
      "1",
      "-b",
      `127.0.0.1:${port}`,
      "--chdir",
      join(here, "peers"),
      "gunicorn_echo:app",
    ],
  ]);
}

/**
 * The same worker behind each balancer that there is; the balancer shares the worker's core.
 * The processor time is the balancer's alone.
 */
export async function startBalancers(worker: Target): Promise<readonly Target[]> {
  const kinds = findExecutable("haproxy") === undefined ? ["embedded"] : ["haproxy", "embedded"];
  const { port, pathname } = new URL(worker.url);
  return await Promise.all(kinds.map(async (kind) => {
    const target = await startProcess(`  the same through ${kind}`, (own) => [
      process.execPath,
      ["run", "-A", "--quiet", join(here, "peers/balancer.ts"), kind, String(own), port],
    ]);
    const url = new URL(pathname, target.url).href;
    await poll(async () => (await fetch(url)).status !== 503 || undefined, { timeoutMs: 10_000 });
    return { ...target, url, ...(worker.apiKey === undefined ? {} : { apiKey: worker.apiKey }) };
  }));
}

async function startProcess(
  name: string,
  command: (port: number) => readonly [string, readonly string[]],
): Promise<Target> {
  const port = await findFreePort();
  const [program, args] = command(port);
  // On the first core from the beginning, so that the processes it starts are there as well.
  const child = spawn("taskset", ["-c", "0", program, ...args], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  const stop = () => end(child);
  const answers = await poll(() => accepts(port), { timeoutMs: 15_000 });
  if (answers === undefined) {
    await stop();
    throw new Error(`${name} does not listen`);
  }
  return { name, url: `http://127.0.0.1:${port}/echo`, pid: child.pid!, stop };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGTERM");
  await once(child, "exit");
}

function accepts(port: number): Promise<true | undefined> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true));
    socket.once("error", () => resolve(undefined));
    socket.once("connect", () => socket.destroy());
  });
}

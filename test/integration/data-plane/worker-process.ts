import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { StoredObject } from "../../../src/catalog/kind.ts";
import { sha256Hex } from "../../../src/lib/canonical-json.ts";
import { findFreePort } from "../../../src/lib/ports.ts";
import { poll } from "../../../src/lib/wait.ts";
import { generateClusterKey } from "../../../src/security/cluster-key.ts";
import type { OverloadLimits } from "../../../src/server/http/overload.ts";
import { BundleFiles } from "../../../src/server/deploy/bundle-files.ts";
import { forkWorker } from "../../../src/server/worker/fork.ts";
import type {
  BundleFile,
  ConfiguredMessage,
  ConfigureMessage,
  FromWorker,
  InitMessage,
  InvokedMessage,
  InvokeMessage,
  ToWorker,
} from "../../../src/server/worker/protocol.ts";

export const clusterKey: string = generateClusterKey();

/** As servers have it by default. */
export const overload: OverloadLimits = { inFlight: 2_000, waitMs: 200, burstMs: 1_000 };

/** A real worker process, spoken to as its supervisor does. */
export class WorkerProcess implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly url: string;
  readonly port: number;
  readonly directory: string;
  readonly messages: FromWorker[] = [];
  readonly exited: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  /** Everything that the process has written. */
  log = "";
  #revision = 0;
  #calls = 0;

  private constructor(child: ChildProcess, port: number, directory: string) {
    this.child = child;
    this.port = port;
    this.url = `http://127.0.0.1:${port}`;
    this.directory = directory;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => this.log += text);
    }
    child.on("message", (message: FromWorker) => this.messages.push(message));
    this.exited = new Promise((resolve) => {
      child.once("exit", (code, signal) => resolve({ code, signal }));
    });
  }

  static async start(init: Partial<InitMessage> = {}): Promise<WorkerProcess> {
    const port = init.http?.port ?? await findFreePort();
    const directory = await mkdtemp(join(tmpdir(), "dragoman-worker-"));
    const child = forkWorker(["ignore", "pipe", "pipe", "ipc"]);
    const worker = new WorkerProcess(child, port, directory);
    await worker.message("booted");
    const http = { host: "127.0.0.1", port };
    worker.send({ type: "init", workerId: 1, hopKeys: [], ...poolInit, http, ...init });
    return worker;
  }

  send(message: ToWorker): void {
    this.child.send(message);
  }

  /** The first message of this type that has come, or will within 20 s. */
  async message<T extends FromWorker["type"]>(
    type: T,
    matches: (message: Extract<FromWorker, { type: T }>) => boolean = () => true,
  ): Promise<Extract<FromWorker, { type: T }>> {
    const found = await poll(
      () =>
        this.messages.find((message): message is Extract<FromWorker, { type: T }> =>
          // The first half of the condition proves the type that the second half needs.
          message.type === type && matches(message as Extract<FromWorker, { type: T }>)
        ),
      { timeoutMs: 20_000, intervalMs: 5 },
    );
    if (found === undefined) throw new Error(`The worker never said "${type}": ${this.log}`);
    return found;
  }

  /** Configures with the next revision and waits for the answer. */
  async configure(
    change: Partial<Omit<ConfigureMessage, "type" | "revision">>,
  ): Promise<ConfiguredMessage> {
    const revision = ++this.#revision;
    this.send({ type: "configure", revision, upserted: [], removed: [], bundles: [], ...change });
    return await this.message("configured", (message) => message.revision === revision);
  }

  async invoke(call: Partial<InvokeMessage>): Promise<InvokedMessage> {
    const id = ++this.#calls;
    const defaults = { service: "", input: {}, cid: `cid-${id}`, timeoutMs: 5_000 };
    this.send({ type: "invoke", ...defaults, ...call, id });
    return await this.message("invoked", (message) => message.id === id);
  }

  /** Writes a bundle of which `dragoman` is taken from the worker, as the bundler makes them. */
  async bundle(file: string, body: string): Promise<BundleFile> {
    const code = `const { defineService, ServiceError, z } =
      globalThis[Symbol.for("dragoman.module")];\n${body}\n`;
    return await storeBundle(this.directory, { file, code });
  }

  fetch(path: string, init?: RequestInit): Promise<Response> {
    return fetch(this.url + path, init);
  }

  /** Waits until the process has written `text`. */
  async logged(text: string): Promise<void> {
    const found = await poll(() => this.log.includes(text) || undefined, { timeoutMs: 20_000 });
    if (found === undefined) throw new Error(`"${text}" was never logged: ${this.log}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      this.child.kill("SIGKILL");
      await once(this.child, "exit");
    }
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** What all workers of a server are told at first, but for their port. */
export const poolInit = {
  server: "server-1",
  cluster: "test",
  environment: "development",
  limits: { stallMs: 10_000, requestMs: 10_000, bodyBytes: 100_000, overload },
  clusterKey,
  logLevel: "debug",
  trustedProxies: [],
  tls: undefined,
  kvdb: undefined,
  apiDocs: true,
} as const satisfies Partial<InitMessage>;

/** Writes a bundle as a server keeps it on its disk. */
export async function storeBundle(
  directory: string,
  { file, code }: { readonly file: string; readonly code: string },
): Promise<BundleFile> {
  const files = new BundleFiles(directory);
  const hash = sha256Hex(code);
  const sourceMap = JSON.stringify({ version: 3, sources: [], mappings: "" });
  await files.store({ file, hash, code, sourceMap });
  return { file, hash, path: files.path(hash) };
}

/** An object as the supervisor sends it. */
export function object(
  kind: string,
  name: string,
  spec: Readonly<Record<string, unknown>>,
  revision = 1,
): StoredObject {
  const at = "2026-01-01T00:00:00.000Z";
  return { kind, name, spec, revision, createdAt: at, updatedAt: at, updatedBy: "test" };
}

/** A RestChannel named after its service, open to everybody. */
export function channel(
  path: string,
  service: string,
  more: Readonly<Record<string, unknown>> = {},
): StoredObject {
  return object("RestChannel", `${service} ${path}`, { path, service, security: "none", ...more });
}

import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { poll } from "../../../src/lib/wait.ts";
import { startKeyWorker } from "./key-services.ts";
import { KeySupervisor } from "./key-supervisor.ts";
import type { WorkerProcess } from "./worker-process.ts";

/** A worker whose services note what they execute, and the supervisor that knows its keys. */
export class KeyFixture implements AsyncDisposable {
  readonly supervisor: KeySupervisor;
  readonly #ran: string;
  #worker: WorkerProcess;

  private constructor(supervisor: KeySupervisor, ran: string, worker: WorkerProcess) {
    this.supervisor = supervisor;
    this.#ran = ran;
    this.#worker = worker;
  }

  static async open(): Promise<KeyFixture> {
    const supervisor = await KeySupervisor.open();
    const ran = join(supervisor.directory, "ran");
    await writeFile(ran, "");
    return new KeyFixture(supervisor, ran, await startKeyWorker(supervisor, ran));
  }

  get worker(): WorkerProcess {
    return this.#worker;
  }

  /** A file that is not there yet: services wait until it is. */
  file(name: string): string {
    return join(this.supervisor.directory, name);
  }

  /** Ends the worker, if it has not ended, and starts another one. */
  async replaceWorker(): Promise<void> {
    await this.#worker[Symbol.asyncDispose]();
    this.#worker = await startKeyWorker(this.supervisor, this.#ran);
  }

  /** How often services noted `what`. */
  async executions(what: string): Promise<number> {
    return (await readFile(this.#ran, "utf8")).split("\n").filter((line) => line === what).length;
  }

  /** Waits until a service has noted `what`. */
  async executed(what: string): Promise<void> {
    const found = await poll(async () => await this.executions(what) || undefined, {
      timeoutMs: 10_000,
      intervalMs: 10,
    });
    assert.ok(found, `"${what}" was never noted`);
  }

  post(
    path: string,
    key: string | undefined,
    body: unknown,
    { headers: more, ...init }: RequestInit = {},
  ): Promise<Response> {
    const headers = new Headers({ "Content-Type": "application/json" });
    if (key !== undefined) headers.set("Idempotency-Key", key);
    for (const [name, value] of new Headers(more)) headers.set(name, value);
    return this.#worker.fetch(path, {
      method: "POST",
      headers,
      body: typeof body === "string" ? body : JSON.stringify(body),
      ...init,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker[Symbol.asyncDispose]();
    await this.supervisor[Symbol.asyncDispose]();
  }
}

/** The problem that an answer is. */
export async function problemOf(response: Response): Promise<Record<string, unknown>> {
  return { ...await response.json() as Record<string, unknown>, httpStatus: response.status };
}

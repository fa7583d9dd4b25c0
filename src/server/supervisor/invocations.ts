import { PlatformError } from "../../errors/platform-error.ts";
import type { InvokedMessage } from "../worker/protocol.ts";

export interface ServiceResult {
  readonly output: unknown;
  readonly durationMs: number;
}

interface Pending {
  readonly resolve: (result: ServiceResult) => void;
  readonly reject: (error: PlatformError) => void;
}

/** Invocations that wait for a worker's answer. */
export class Invocations {
  readonly #pending = new Map<number, Pending>();
  #nextId = 1;

  open(): { readonly id: number; readonly result: Promise<ServiceResult> } {
    const id = this.#nextId++;
    const result = new Promise<ServiceResult>((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
    });
    return { id, result };
  }

  settle({ id, output, error, durationMs }: InvokedMessage): void {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (error === undefined) pending?.resolve({ output, durationMs });
    else pending?.reject(PlatformError.fromJson(error));
  }

  /** Rejects everything that still waits. */
  abandon(reason: () => PlatformError): void {
    for (const { reject } of this.#pending.values()) reject(reason());
    this.#pending.clear();
  }
}

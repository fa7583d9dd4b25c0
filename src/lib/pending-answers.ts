/** Questions that were sent and wait for their answers, by number. */
export class PendingAnswers<T> {
  readonly #pending = new Map<number, PromiseWithResolvers<T>>();
  #nextId = 1;

  /** A number for a new question, and what its answer will settle. */
  open(): { readonly id: number; readonly answer: Promise<T> } {
    const id = this.#nextId++;
    const pending = Promise.withResolvers<T>();
    this.#pending.set(id, pending);
    return { id, answer: pending.promise };
  }

  /** An answer that nobody waits for any more is ignored. */
  resolve(id: number, answer: T): void {
    this.#take(id)?.resolve(answer);
  }

  reject(id: number, error: unknown): void {
    this.#take(id)?.reject(error);
  }

  /** Rejects everything that still waits. */
  abandon(reason: () => unknown): void {
    for (const id of [...this.#pending.keys()]) this.reject(id, reason());
  }

  #take(id: number): PromiseWithResolvers<T> | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    return pending;
  }
}

/** Runs tasks one after the other, in the order of the calls; a failed one does not stop the next. */
export type Serial = <T>(task: () => Promise<T>) => Promise<T>;

export function createSerial(): Serial {
  let last: Promise<unknown> = Promise.resolve();
  return (task) => {
    const result = last.then(task);
    // The caller gets the failure through `result`; the queue only needs to know that it is over.
    last = result.catch(() => {});
    return result;
  };
}

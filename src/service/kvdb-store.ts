/**
 * The key/value database as services use it. Keys are the cluster's own: two clusters on one
 * KVDB do not see each other. Rejects with KVDB_UNREACHABLE (kind `peer`) when it does not answer,
 * and KVDB_NONE when the server has none.
 */
export interface KvdbStore {
  /** Text, or undefined. */
  get(key: string): Promise<string | undefined>;
  set(key: string, value: string, options?: { readonly ttlMs?: number }): Promise<void>;
  /** True when the key did not exist and was set. */
  setIfAbsent(
    key: string,
    value: string,
    options?: { readonly ttlMs?: number },
  ): Promise<boolean>;
  delete(key: string): Promise<boolean>;
  /** Adds to a counter, which begins at 0; answers its new value. */
  increment(
    key: string,
    options?: { readonly by?: number; readonly ttlMs?: number },
  ): Promise<number>;
  /** Any other command of Redis; keys are the caller's to prefix with `prefix`. */
  command(name: string, ...args: readonly (string | number)[]): Promise<unknown>;
  /** What `command` must begin keys with: `dragoman:<cluster>:user:`. */
  readonly prefix: string;
}

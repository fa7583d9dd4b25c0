/** Where a cache keeps its values: texts under keys, for a time. May forget any of them. */
export interface TextStore {
  get(key: string): Promise<string | undefined>;
  set(key: string, text: string, ttlMs: number): Promise<void>;
  /** True when it was there. */
  delete(key: string): Promise<boolean>;
  clear(): Promise<void>;
}

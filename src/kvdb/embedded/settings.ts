/** Settings by the names that CONFIG GET knows them under. */
export class EngineSettings {
  readonly #values: Map<string, string>;

  constructor(values: Readonly<Record<string, string>> = {}) {
    this.#values = new Map(Object.entries({ ...defaults, ...values }));
  }

  get(name: string): string {
    return this.#values.get(name) ?? "";
  }

  getNumber(name: string): number {
    return Number(this.get(name));
  }

  names(): string[] {
    return [...this.#values.keys()];
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** Why `value` cannot be set, in Redis's words; undefined when it was. */
  set(name: string, value: string): string | undefined {
    const check = changeable.get(name);
    if (check === undefined) return "can't set immutable config";
    const why = check(value);
    if (why === undefined) this.#values.set(name, value);
    return why;
  }
}

const defaults = {
  appendonly: "no",
  appendfsync: "everysec",
  databases: "16",
  maxclients: "10000",
  maxmemory: "0",
  "maxmemory-policy": "noeviction",
  // Redis's own limit is 512 MB; a client's buffers for that are more than development needs.
  "proto-max-bulk-len": String(64 * 1024 * 1024),
  save: "",
  timeout: "0",
  "client-output-buffer-limit-pubsub": String(32 * 1024 * 1024),
};

const changeable = new Map<string, (value: string) => string | undefined>([
  ["maxclients", (value) => (/^[1-9]\d{0,5}$/.test(value) ? undefined : notANumber)],
  ["appendfsync", (value) => {
    const known = ["always", "everysec", "no"].includes(value);
    return known ? undefined : "argument(s) must be one of the following: everysec, always, no";
  }],
]);

const notANumber = "argument couldn't be parsed into an integer";

import { readFile } from "node:fs/promises";
import { z } from "zod";
import { reasonOf } from "../../errors/platform-error.ts";
import { writeFileAtomic } from "../../lib/atomic-file.ts";
import type { Logger } from "../../telemetry/logger.ts";

const fileSchema = z.record(z.string(), z.array(z.string()));

export interface HopKeysOptions {
  /** `secrets/hop-keys.json` */
  readonly file: string;
  /** The agents that this server has; what was learnt of others is forgotten. */
  readonly agents: readonly string[];
  /** Called with all keys whenever they change. */
  readonly onChange: (keys: readonly string[]) => void;
  readonly logger: Logger;
}

/**
 * The keys by which this server knows its balancers, as their agents told it. They are kept on disk,
 * so that a server that starts while an agent is away believes its balancer all the same.
 */
export class HopKeys {
  readonly #options: HopKeysOptions;
  readonly #byAgent = new Map<string, readonly string[]>();

  constructor(options: HopKeysOptions) {
    this.#options = options;
  }

  /** Reads what was learnt before; a file that cannot be read is as good as none. */
  async load(): Promise<void> {
    const { file, agents, logger } = this.#options;
    try {
      const known = fileSchema.parse(JSON.parse(await readFile(file, "utf8")));
      for (const agent of agents) if (known[agent] !== undefined) this.#set(agent, known[agent]);
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return;
      // No reason: it may quote the file. The agents tell the keys again.
      logger.warn("The balancers' keys learnt before cannot be read", { file });
    }
  }

  /** Takes over what an agent says its balancer shows. */
  async learn(agent: string, keys: readonly string[]): Promise<void> {
    if (JSON.stringify(this.#byAgent.get(agent)) === JSON.stringify(keys)) return;
    this.#set(agent, keys);
    const { file, logger } = this.#options;
    try {
      await writeFileAtomic(file, JSON.stringify(Object.fromEntries(this.#byAgent)) + "\n");
    } catch (error) {
      logger.warn("The balancers' keys cannot be kept for the next start", {
        file,
        reason: reasonOf(error),
      });
    }
  }

  #set(agent: string, keys: readonly string[]): void {
    this.#byAgent.set(agent, keys);
    this.#options.onChange([...this.#byAgent.values()].flat());
  }
}

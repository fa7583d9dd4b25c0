import { startRedis } from "../../peers/redis.ts";
import { startEmbedded } from "../kvdb/embedded-process.ts";

/** What a test needs of a KVDB, whichever it is. */
export interface KvdbPeer {
  readonly url: string;
  stop(): Promise<void>;
  kill(): Promise<void>;
  restart(): Promise<void>;
}

/** Every KVDB that services may be run with. */
export const kvdbs: readonly { readonly name: string; start(): Promise<KvdbPeer> }[] = [
  { name: "Redis", start: () => startRedis() },
  { name: "The embedded KVDB", start: () => startEmbedded() },
];

/**
 * Requests a second of the embedded KVDB and of redis-server, both appending changes to a file,
 * as redis-benchmark measures them: 50 clients, one request at a time and 16 at a time.
 */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { startEmbedded } from "../test/integration/kvdb/embedded-process.ts";
import { redisProgram, startRedis } from "../test/peers/redis.ts";

const tests = "ping_mbulk,set,get,incr,lpush,rpush,lpop,sadd,hset,zadd";
const requests = 50_000;

interface Measurement {
  readonly perSecond: number;
  readonly p99Ms: number;
}

async function measure(port: number, pipeline: number): Promise<Map<string, Measurement>> {
  const program = redisProgram("redis-benchmark");
  const load = ["-n", String(requests * pipeline), "-c", "50", "-P", String(pipeline)];
  const args = ["-p", String(port), "-t", tests, "--csv", ...load];
  const { stdout } = await promisify(execFile)(program, args);
  // "test","rps","avg_latency_ms","min","p50","p95","p99","max"
  const rows = stdout.trim().split("\n").slice(1).map((line) => {
    return line.split(",").map((field) => field.replaceAll('"', ""));
  });
  return new Map(rows.map((row) => {
    return [row[0]!, { perSecond: Number(row[1]), p99Ms: Number(row[6]) }];
  }));
}

const [embedded, redis] = [await startEmbedded(), await startRedis()];
try {
  for (const pipeline of [1, 16]) {
    const ours = await measure(embedded.port, pipeline);
    const theirs = await measure(redis.port, pipeline);
    console.log(`\n${pipeline} at a time  embedded/s  p99 ms  redis-server/s  p99 ms  ratio`);
    for (const [name, { perSecond, p99Ms }] of ours) {
      const other = theirs.get(name)!;
      console.log([
        name.padEnd(13),
        perSecond.toFixed(0).padStart(10),
        p99Ms.toFixed(2).padStart(7),
        other.perSecond.toFixed(0).padStart(15),
        other.p99Ms.toFixed(2).padStart(7),
        (perSecond / other.perSecond).toFixed(2).padStart(6),
      ].join(" "));
    }
  }
} finally {
  await embedded.stop();
  await redis.stop();
}

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { splitInline } from "../../../src/kvdb/embedded/inline-request.ts";
import { type EmbeddedServer, openEmbeddedServer } from "../../../src/kvdb/embedded/server.ts";
import { silentLogger } from "../../../src/telemetry/logger.ts";
import { type RedisPeer, startRedis } from "../../peers/redis.ts";
import { cases } from "./differential-cases.ts";
import { RawClient } from "./raw-client.ts";

/** Where the embedded server knows better than to do as Redis 7.0 does. */
const deviations: ReadonlyMap<string, string> = new Map([]);

for (const version of ["2", "3"]) {
  describe(`embedded KVDB answers as Redis does, RESP${version}`, () => {
    let redis: RedisPeer;
    let embedded: EmbeddedServer;
    before(async () => {
      redis = await startRedis();
      embedded = await openEmbeddedServer({ host: "127.0.0.1", port: 0, logger: silentLogger });
    });
    after(async () => {
      await embedded.close();
      await redis.stop();
    });

    for (const [subject, requests] of Object.entries(cases)) {
      it(subject, async () => {
        const wanted = await answers(redis.port, version, requests);
        const found = await answers(embedded.port, version, requests);

        const differences = requests.flatMap((request, i) => {
          if (deviations.has(request) || wanted[i] === found[i]) return [];
          return [`${i} ${request}: Redis ${wanted[i]} but embedded ${found[i]}`];
        });
        assert.deepEqual(differences, []);
      });
    }
  });
}

/** The replies, quoted, on a connection of its own. */
async function answers(
  port: number,
  version: string,
  requests: readonly string[],
): Promise<string[]> {
  const client = await RawClient.connect(port);
  try {
    await client.request("HELLO", version);
    await client.request("FLUSHALL");
    const replies: string[] = [];
    for (const request of requests) {
      const unordered = request.startsWith("~");
      const args = splitInline(unordered ? request.slice(1) : request)!;
      const reply = await client.request(...args);
      replies.push(JSON.stringify(unordered ? reply.split("\r\n").sort() : reply));
    }
    return replies;
  } finally {
    client.close();
  }
}

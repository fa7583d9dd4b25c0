import { text } from "node:stream/consumers";
import { createHaproxyEngine } from "../../../src/load-balancer/haproxy/engine.ts";
import { servingPid } from "../../../src/load-balancer/haproxy/process.ts";
import { silentLogger } from "../../../src/telemetry/logger.ts";

/** Runs a HAProxy engine until it is killed; tells HAProxy's pid on standard output. */
const { config, paths, servers } = JSON.parse(await text(process.stdin));
const engine = await createHaproxyEngine(config, {
  paths,
  hopKey: "h".repeat(43),
  logger: silentLogger,
});
await engine.start(servers);
process.stdout.write(String(await servingPid(`${paths.run}/haproxy.sock`)));
setInterval(() => {}, 60_000);

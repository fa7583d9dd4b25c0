// A balancer in front of one server: balancer.ts <haproxy|embedded> <port> <server's port>.
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createComponent } from "../../src/config/component.ts";
import { loadBalancerConfigSchema } from "../../src/config/schemas.ts";
import { createEmbeddedEngine } from "../../src/load-balancer/embedded/engine.ts";
import { createHaproxyEngine } from "../../src/load-balancer/haproxy/engine.ts";
import { silentLogger as logger } from "../../src/telemetry/logger.ts";

const [kind, port, serverPort] = process.argv.slice(2);
const config = loadBalancerConfigSchema.parse({
  name: "bench",
  cluster: "bench",
  engine: kind,
  http: { port: Number(port) },
  agent: { port: Number(port) + 1 },
});
const directory = await mkdtemp(join(tmpdir(), "dragoman-bench-"));
const paths = await createComponent(directory, { component: "load-balancer", config });
const engine = kind === "haproxy"
  ? await createHaproxyEngine(config, { paths, hopKey: "h".repeat(43), logger })
  : createEmbeddedEngine(config, {
    directory,
    accessLogFile: join(paths.log, "access.log"),
    logger,
  });
process.once("SIGTERM", async () => {
  await engine.stop({ drainMs: 100 });
  process.exit(0);
});
await engine.start([
  { name: "server1", host: "127.0.0.1", port: Number(serverPort), draining: false },
]);

/**
 * An embedded server as a process of its own, for tests that kill or freeze it. Takes the data
 * directory and the port (0: a free one); prints the port on a line, then its log.
 */
import { openEmbeddedServer } from "../../../src/kvdb/embedded/server.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";

const [directory = "", port = "0"] = process.argv.slice(2);
const server = await openEmbeddedServer({
  host: "127.0.0.1",
  port: Number(port),
  directory,
  logger: createLogger(),
});
process.stdout.write(`port ${server.port}\n`);
process.on("SIGTERM", () => void server.close().then(() => process.exit(0)));
server.failed.catch(() => process.exit(3));

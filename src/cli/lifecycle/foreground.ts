import { dropPidFile, takePidFile } from "./pid-file.ts";
import { isPlatformError, PlatformError, reasonOf } from "../../errors/platform-error.ts";
import type { RunningComponent } from "../../config/running-component.ts";
import { createLogger, type Logger } from "../../telemetry/logger.ts";
import type { CommandIo } from "../io.ts";
import { type Component, kindTitle, runners } from "./component.ts";
import { refuseTakenPorts } from "./port-holder.ts";
import { isDaemon, spawnDaemon } from "./daemon.ts";

/** How long the children of a component that was killed may hold its ports. */
const crashPatienceMs = 8_000;

/** The message under which a failed start is logged; who waits for the start looks for it. */
export const startFailedMessage = "The component did not start";

/** EX_TEMPFAIL: whoever keeps the process alive, such as systemd, is to start it anew. */
const restartExitCode = 75;

/**
 * Runs a component in this process until SIGTERM or SIGINT, then lets it finish what it has.
 * Resolves with the exit code: 0 stopped, 1 it could not go on, 75 it was asked to start anew and
 * another program looks after this process. A daemon of ours starts its successor itself, with the
 * code that is installed by then, and ends with 0. Rejects when it cannot start.
 */
export async function runForeground(component: Component, io: CommandIo): Promise<number> {
  const owner = await takePidFile(component.pidFile);
  if (owner !== undefined) {
    throw new PlatformError("CLI_ALREADY_RUNNING", {
      component: kindTitle(component.kind),
      name: component.name,
      pid: owner.pid,
      directory: component.directory,
    });
  }
  const logger = createLogger({
    level: component.logLevel,
    context: { component: component.kind, name: component.name, pid: process.pid },
    write: (line) => io.log(line),
  });
  let code: number;
  try {
    code = await serve(component, io, logger);
  } finally {
    await dropPidFile(component.pidFile);
  }
  if (code !== restartExitCode || !isDaemon(io.env)) return code;
  const successor = await spawnDaemon(component);
  logger.info("Started anew", { successor: successor.pid });
  return 0;
}

async function serve(component: Component, io: CommandIo, logger: Logger): Promise<number> {
  const asked = io.stopSignal();
  const starting = startHere(component, logger);
  const first = await Promise.race([asked, starting]);
  // A component that is asked to stop while it starts is stopped as soon as it has.
  const running = typeof first === "string" ? await starting : first;
  logger.info("The component answers", { ports: running.ports });
  try {
    const restart = running.restart?.then(() => "restart") ?? new Promise<never>(() => {});
    const signal = await Promise.race([asked, running.failed, restart]);
    logger.info("The component stops", { signal });
    await running.stop();
    logger.info("The component has stopped");
    return signal === "restart" ? restartExitCode : 0;
  } catch (error) {
    logger.error("The component cannot go on", { error });
    await running.stop();
    return 1;
  }
}

async function startHere(component: Component, logger: Logger): Promise<RunningComponent> {
  try {
    await refuseTakenPorts(component, { patienceMs: crashPatienceMs });
    const run = await runners[component.kind]();
    return await run(component.directory, { logger });
  } catch (error) {
    const advice = isPlatformError(error) ? error.advice : undefined;
    logger.error(startFailedMessage, { reason: reasonOf(error), advice, error });
    throw error;
  }
}

import { Buffer } from "node:buffer";
import { PlatformError } from "../../errors/platform-error.ts";
import type { KvdbCommand, KvdbCommands } from "../../kvdb/client.ts";
import { toByteText } from "../../kvdb/embedded/byte-text.ts";
import { Engine } from "../../kvdb/embedded/engine.ts";
import type { Session } from "../../kvdb/embedded/session.ts";
import { EngineSettings } from "../../kvdb/embedded/settings.ts";
import { silentLogger } from "../../telemetry/logger.ts";
import type { Clock } from "../clock.ts";

const address = "the test's memory";

/** The embedded KVDB without its sockets: every command that it has, by the test's clock. */
export class MemoryKvdb implements KvdbCommands {
  readonly #engine: Engine;
  readonly #session: Session;
  readonly #isReachable: () => boolean;

  constructor(clock: Clock, isReachable: () => boolean) {
    this.#engine = new Engine({
      settings: new EngineSettings(),
      password: undefined,
      logger: silentLogger,
      onShutdown: () => {},
      now: () => clock.now(),
    });
    const nothing = () => {};
    const peer = { address, localAddress: address, send: nothing, resume: nothing, close: nothing };
    this.#session = this.#engine.openSession(peer);
    this.#isReachable = isReachable;
  }

  // Async, so that refusals reject.
  async command(command: KvdbCommand): Promise<unknown> {
    return this.#run(command);
  }

  async transaction(commands: readonly KvdbCommand[]): Promise<readonly unknown[]> {
    this.#run(["MULTI"]);
    for (const command of commands) this.#run(command);
    return this.#run(["EXEC"]) as readonly unknown[]; // one reply for each command
  }

  #run(command: KvdbCommand): unknown {
    if (!this.#isReachable()) {
      throw new PlatformError("KVDB_UNREACHABLE", { address, reason: "The test says so" });
    }
    const args = command.map((arg) => toByteText(String(arg)));
    const reply = this.#engine.execute(this.#session, args) ?? "$-1\r\n";
    return new ReplyReader(reply, command[0].toUpperCase()).read();
  }
}

/** Reads one reply of RESP2, in which a character is a byte. */
class ReplyReader {
  readonly #text: string;
  readonly #command: string;
  #at = 0;

  constructor(text: string, command: string) {
    this.#text = text;
    this.#command = command;
  }

  read(): unknown {
    const type = this.#text[this.#at];
    const line = this.#line();
    switch (type) {
      case ":":
        return Number(line);
      case "$":
        return this.#bulk(Number(line));
      case "*":
        return line === "-1" ? null : Array.from({ length: Number(line) }, () => this.read());
      case "-":
        throw new PlatformError("KVDB_COMMAND_FAILED", {
          address,
          command: this.#command,
          reason: line,
        });
      default:
        return line;
    }
  }

  #line(): string {
    const end = this.#text.indexOf("\r\n", this.#at);
    const line = this.#text.slice(this.#at + 1, end);
    this.#at = end + 2;
    return line;
  }

  #bulk(length: number): string | null {
    if (length < 0) return null;
    const bytes = this.#text.slice(this.#at, this.#at + length);
    this.#at += length + 2;
    return Buffer.from(bytes, "latin1").toString("utf8");
  }
}

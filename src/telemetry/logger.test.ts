import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { PlatformError } from "../errors/platform-error.ts";
import { createLogger, type LogFields, type LogLevel, logLevels } from "./logger.ts";

function lines(
  write: (logger: ReturnType<typeof createLogger>) => void,
  level: LogLevel = "debug",
): Record<string, unknown>[] {
  const written: string[] = [];
  write(createLogger({ level, context: { server: "s1" }, write: (line) => written.push(line) }));
  return written.map((line) => JSON.parse(line));
}

function logged(fields: LogFields): Record<string, unknown> {
  return lines((logger) => logger.info("m", fields))[0]!;
}

describe("A logger", () => {
  it("writes time, level, message, context and fields as one line of JSON", () => {
    const written: string[] = [];
    const logger = createLogger({ context: { server: "s1" }, write: (line) => written.push(line) });

    logger.child({ cid: "c1" }).warn("two\nlines", { n: 1, big: 2n, text: "ü" });

    assert.equal(written.length, 1);
    assert.ok(!written[0]!.includes("\n"));
    const { time, ...rest } = JSON.parse(written[0]!);
    assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.deepEqual(rest, {
      level: "warn",
      msg: "two\nlines",
      server: "s1",
      cid: "c1",
      n: 1,
      big: "2",
      text: "ü",
    });
  });

  it("writes its own level and everything above", () => {
    for (const [index, level] of logLevels.entries()) {
      const written = lines((logger) => logLevels.forEach((each) => logger[each]("m")), level);
      assert.deepEqual(written.map((line) => line["level"]), logLevels.slice(index));
    }
  });

  it("does not let fields pass for time, level or message", () => {
    const { time, level, msg } = logged({ time: "never", level: "error", msg: "forged" });
    assert.deepEqual([level, msg], ["info", "m"]);
    assert.notEqual(time, "never");
  });

  it("expands errors with code, stack and causes", () => {
    const cause = new AggregateError([new Error("first"), new Error("second")]);
    const error = new PlatformError("CONFIG_UNREADABLE", { file: "f", reason: "r" }, { cause });

    const { error: shown } = logged({ error }) as { error: Record<string, unknown> };

    assert.equal(shown["type"], "PlatformError");
    assert.equal(shown["code"], "CONFIG_UNREADABLE");
    assert.equal(shown["message"], 'Cannot read "f": r');
    assert.match(String(shown["stack"]), /logger\.test\.ts/);
    assert.equal((shown["cause"] as Record<string, unknown>)["message"], "first; second");
  });

  it("survives what cannot be written", () => {
    const round: Record<string, unknown> = {};
    round["self"] = round;
    const hostile = { toJSON: () => assert.fail("no") };
    for (const value of [round, hostile]) {
      const line = logged({ value });
      assert.equal(line["msg"], "m");
      assert.equal(line["level"], "info");
    }
  });
});

describe("A logger redacts", () => {
  const secret = "hunter2-sesame";
  const names = [
    "password",
    "dbPassword",
    "passwd",
    "passphrase",
    "secret",
    "clientSecret",
    "token",
    "accessToken",
    "authorization",
    "Authorization",
    "proxy-authorization",
    "apiKey",
    "api_key",
    "x-api-key",
    "privateKey",
    "private_key",
    "clusterKey",
    "cookie",
    "set-cookie",
    "credentials",
  ];
  for (const name of names) {
    it(`"${name}", at any depth and in any shape`, () => {
      const written: string[] = [];
      const logger = createLogger({ write: (line) => written.push(line) });

      logger.info("m", { [name]: secret });
      logger.info("m", { [name]: [secret] });
      logger.info("m", { [name]: { value: secret } });
      logger.info("m", { request: { headers: [{ [name]: secret }] } });
      logger.child({ [name]: secret }).info("m");
      logger.error("m", { error: new Error("e", { cause: { [name]: secret } }) });

      assert.equal(written.length, 6);
      assert.ok(written.every((line) => !line.includes(secret)), written.join("\n"));
      assert.ok(written.slice(0, 5).every((line) => line.includes("[redacted]")));
    });
  }

  it("passwords in URLs, wherever they stand", () => {
    const error = new Error(`cannot reach postgresql://ana:${secret}@db:5432/odb`);
    const line = JSON.stringify(logged({ url: `redis://:${secret}@kv:6379/0`, error }));

    assert.ok(!line.includes(secret), line);
    assert.ok(line.includes("redis://:[redacted]@kv:6379/0"));
    assert.ok(line.includes("postgresql://ana:[redacted]@db:5432/odb"));
  });

  it("nothing that only counts or names", () => {
    const fields = { tokensTotal: 3, hasPassword: true, monkey: "k", url: "http://a:80/b?c=d@e" };
    const { tokensTotal, hasPassword, monkey, url } = logged(fields);
    assert.deepEqual({ tokensTotal, hasPassword, monkey, url }, fields);
  });
});

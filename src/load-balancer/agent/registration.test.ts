import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isPlatformError } from "../../errors/platform-error.ts";
import { parseRegistration, parseServerName } from "./registration.ts";

describe("parseRegistration", () => {
  for (
    const host of ["127.0.0.1", "::1", "2001:db8::1", "localhost", "server-1.example.org", "app_1"]
  ) {
    it(`takes ${host}`, () => {
      assert.deepEqual(parseRegistration({ host, port: 17010 }), { host, port: 17010 });
    });
  }

  const hosts: readonly unknown[] = [
    "",
    "127.0.0.1\n  server evil 6.6.6.6:80",
    "127.0.0.1; set server servers/a addr 6.6.6.6",
    "127.0.0.1 check",
    "127.0.0.1:80",
    "a\r\nb",
    "a\0b",
    "$HOME",
    "unix@/tmp/socket",
    "fd@3",
    "/tmp/socket",
    "fe80::1%eth0",
    "10.0.0.256",
    "0.0.0.0",
    "::",
    "-a",
    "a..b",
    "ünder",
    "x".repeat(300),
    17,
    null,
    ["127.0.0.1"],
  ];
  for (const host of hosts) {
    it(`refuses the host ${JSON.stringify(host).slice(0, 50)}`, () => {
      assert.throws(
        () => parseRegistration({ host, port: 80 }),
        (error) => isPlatformError(error, "BALANCER_BAD_REGISTRATION"),
      );
    });
  }

  for (const port of [0, -1, 65_536, 1.5, "80", null, undefined]) {
    it(`refuses the port ${port}`, () => {
      assert.throws(
        () => parseRegistration({ host: "127.0.0.1", port }),
        (error) => isPlatformError(error, "BALANCER_BAD_REGISTRATION"),
      );
    });
  }

  it("refuses what is no object, and fields it does not know, naming them", () => {
    for (const body of [undefined, null, "x", []]) {
      assert.throws(() => parseRegistration(body));
    }
    assert.throws(
      () => parseRegistration({ host: "a", port: 1, weight: 5 }),
      (error: unknown) => error instanceof Error && error.message.includes('"weight"'),
    );
  });
});

describe("parseServerName", () => {
  it("takes names that are safe in a configuration file", () => {
    for (const name of ["server1", "a", "A.b-c_9", "x".repeat(63)]) {
      assert.equal(parseServerName(name), name);
    }
  });

  it("refuses all others without repeating them", () => {
    const bad = [
      undefined,
      "",
      "a b",
      "a\n",
      "a;b",
      "a/b",
      "../a",
      "-a",
      ".a",
      "a#b",
      "x".repeat(64),
      "ä",
    ];
    for (const name of bad) {
      assert.throws(
        () => parseServerName(name),
        (error) => isPlatformError(error, "BALANCER_BAD_NAME"),
      );
    }
  });
});

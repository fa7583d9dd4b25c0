import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isPlatformError } from "../../errors/platform-error.ts";
import { checkCommand } from "./commands.ts";
import { checkExtraLines } from "./extra-lines.ts";

const none = { global: [], defaults: [], frontend: [], backend: [], sections: [] };

describe("checkExtraLines", () => {
  const good: readonly (readonly [keyof typeof none, readonly string[]])[] = [
    ["global", ["tune.bufsize 32768", "# a comment", "ssl-default-bind-options no-tlsv11"]],
    ["defaults", ["option dontlognull", "no option http-server-close", "\ttimeout client-fin 5s"]],
    ["frontend", ['http-request set-header X-Text "a \\"quoted\\" $text"']],
    ["frontend", ['log-format "%ci $x"', "http-request replace-path ^/a(.*)$ /b\\1"]],
    ["frontend", ['http-request set-path "/x%[path]"', "acl old path_reg \\.php$"]],
    ["backend", ['option httpchk GET "/a b"', "stats realm A\\ realm"]],
    ["backend", ["cookie SERVER insert", "", "stick-table type ip size 1k"]],
    ["sections", ["userlist people", "  user tim", "resolvers dns", "  parse-resolv-conf"]],
    ["sections", ["# before", "listen stats", "  bind 127.0.0.1:9", "  stats enable"]],
  ];
  for (const [section, lines] of good) {
    it(`takes ${JSON.stringify(lines)} in ${section}`, () => {
      checkExtraLines({ ...none, [section]: [...lines] }, { secret: "HOP" });
    });
  }

  const bad: readonly (readonly [keyof typeof none, string])[] = [
    ["global", "chroot /"],
    ["global", "   daemon"],
    ["global", '"user" root'],
    ["global", "insecure-fork-wanted"],
    ["global", "backend x"],
    ["defaults", "a\u0000b"],
    ["defaults", "a\nfrontend x"],
    ["backend", "option  external-check"],
    ["backend", ".endif"],
    ["frontend", "$ANY x"],
    ["global", "\\x73tats socket /tmp/x mode 666 level admin"],
    ["global", 's"${NOPE}"tats socket /tmp/x level admin'],
    ["global", 'stats "${NOPE}"socket /tmp/x level admin'],
    ["global", "stats sock'e't /tmp/x level admin"],
    ["global", "\\x6cua-load /tmp/x.lua"],
    ["global", '"${NOPE}" lua-load /tmp/x.lua'],
    ["global", "default insecure-fork-wanted"],
    ["global", "default \\x69nsecure-fork-wanted"],
    ["frontend", "\\x67lobal"],
    ["sections", "g'loba'l"],
    ["backend", "option external\\x2dcheck"],
    ["frontend", 'http-response set-header X-Hop "${HOP}"'],
    ["sections", "defaults"],
    ["sections", "global"],
    ["sections", "bind *:1"],
  ];
  it("says how a line is to be written that begins in disguise", () => {
    const lines = { ...none, global: ["\\x73tats timeout 10s"] };
    assert.throws(
      () => checkExtraLines(lines, { secret: "HOP" }),
      /"\\x73tats" decides what the line does; write it without quotes/,
    );
  });

  for (const [section, line] of bad) {
    it(`refuses ${JSON.stringify(line)} in ${section}`, () => {
      assert.throws(
        () => checkExtraLines({ ...none, [section]: [line] }, { secret: "HOP" }),
        (error: unknown) =>
          isPlatformError(error, "BALANCER_BAD_LINES") && error.message.includes(section),
      );
    });
  }
});

describe("checkCommand", () => {
  it("passes on what only shows, without needless blanks", () => {
    assert.equal(checkCommand("  show   stat "), "show stat");
    assert.equal(checkCommand("get weight servers/a"), "get weight servers/a");
  });

  for (
    const command of ["show", "shutdown frontend clients", "SHOW ENV", "show\tenv", "show tls-keys"]
  ) {
    it(`refuses ${JSON.stringify(command)}`, () => {
      assert.throws(
        () => checkCommand(command),
        (error: unknown) =>
          isPlatformError(error, "BALANCER_COMMAND_REFUSED") &&
          String(error.advice).includes("get weight"),
      );
    });
  }
});

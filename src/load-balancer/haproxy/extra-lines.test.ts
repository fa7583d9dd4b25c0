import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isPlatformError } from "../../errors/platform-error.ts";
import { checkCommand } from "./commands.ts";
import { checkExtraLines } from "./extra-lines.ts";

const none = { global: [], defaults: [], frontend: [], backend: [], sections: [] };

describe("checkExtraLines", () => {
  const good: readonly (readonly [keyof typeof none, readonly string[]])[] = [
    ["global", ["tune.bufsize 32768", "# a comment", "ssl-default-bind-options no-tlsv11"]],
    ["defaults", ["option dontlognull", "\ttimeout client-fin 5s"]],
    ["frontend", ['http-request set-header X-Text "a \\"quoted\\" $text"']],
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
    ["frontend", 'http-response set-header X-Hop "${HOP}"'],
    ["sections", "defaults"],
    ["sections", "global"],
    ["sections", "bind *:1"],
  ];
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

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { alertsOf, parseMessage } from "./messages.ts";

describe("HAProxy's messages", () => {
  it("have a level and a text", () => {
    assert.deepEqual(parseMessage("[WARNING]  (16547) : Server servers/a is DOWN, reason: x"), {
      level: "warning",
      text: "Server servers/a is DOWN, reason: x",
    });
    assert.deepEqual(parseMessage("anything else"), { level: "notice", text: "anything else" });
  });

  it("become one text of alerts, with places and without summaries", () => {
    const lines = [
      "[NOTICE]   (1) : haproxy version is 2.6.12-1+deb12u4",
      "[ALERT]    (1) : config : parsing [/x/haproxy.cfg:3] : unknown keyword 'a' in 'global' section",
      "[WARNING]  (1) : config : something mild",
      "[ALERT]    (1) : config : parsing [/x/haproxy.cfg:9] : missing LF",
      "[ALERT]    (1) : config : Error(s) found in configuration file : /x/haproxy.cfg",
      "[ALERT]    (1) : config : Fatal errors found in configuration.",
    ];

    assert.equal(
      alertsOf(lines),
      "parsing [/x/haproxy.cfg:3] : unknown keyword 'a' in 'global' section; " +
        "parsing [/x/haproxy.cfg:9] : missing LF",
    );
  });
});

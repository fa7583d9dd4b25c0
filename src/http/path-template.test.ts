import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parsePathTemplate } from "./path-template.ts";

describe("parsePathTemplate", () => {
  const shapes: readonly [string, string][] = [
    ["/", "/"],
    ["/demo/hello", "/demo/hello"],
    ["/customers/{id}/orders/{order_2}", "/customers/{}/orders/{}"],
    ["/files/{rest*}", "/files/{*}"],
    ["/trailing/", "/trailing/"],
    ["/café/a:b@c", "/café/a:b@c"],
  ];
  for (const [path, shape] of shapes) {
    it(`takes ${path}`, () => {
      const template = parsePathTemplate(path);

      assert.ok(typeof template !== "string", String(template));
      assert.equal(template.shape, shape);
      assert.equal(template.isStatic, !path.includes("{"));
    });
  }

  const wrong: readonly [string, RegExp][] = [
    ["", /does not begin/],
    ["demo", /does not begin/],
    ["/a//b", /empty segments/],
    ["/a/../b", /"\.\."/],
    ["/a/.", /"\."/],
    ["/dragoman", /platform's own/],
    ["/dragoman/ping", /platform's own/],
    ["/a/{id}/{id}", /stands twice/],
    ["/{rest*}/a", /at the end/],
    ["/a-{id}", /not a whole/],
    ["/{}", /not a whole/],
    ["/{__proto__}", /not a whole/],
    ["/a b", /space/],
    ["/a%20b", /%/],
    ["/a?b", /\?/],
    ["/a#b", /#/],
    ["/a\\b", /\\/],
    ["/a".repeat(40), /at most 32/],
  ];
  for (const [path, reason] of wrong) {
    it(`refuses "${path.slice(0, 20)}"`, () => {
      const problem = parsePathTemplate(path);

      assert.ok(typeof problem === "string");
      assert.match(problem, reason);
    });
  }
});

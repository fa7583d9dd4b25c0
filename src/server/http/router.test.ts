import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parsePathTemplate } from "../../connectors/rest/path-template.ts";
import { compileRouter, type RouteEntry, type Router } from "./router.ts";

function entry(path: string, methods: readonly string[] = ["GET"]): RouteEntry<string> {
  const template = parsePathTemplate(path);
  assert.ok(typeof template !== "string", String(template));
  return { template, methods, target: path };
}

function found(router: Router<string>, path: string): readonly unknown[] | undefined {
  const match = router.find(path);
  return match && [match.targets.get("GET"), ...match.values];
}

const paths = [
  "/",
  "/a/b",
  "/a/{x}",
  "/a/{x}/c",
  "/a/b/d",
  "/a/{rest*}",
  "/{any}/z",
  "/trailing/",
  "/café",
];

describe("A router", () => {
  const cases: readonly [string, readonly unknown[] | undefined][] = [
    ["/", ["/"]],
    ["/a/b", ["/a/b"]],
    ["/a/x", ["/a/{x}", "x"]],
    ["/a/b/c", ["/a/{x}/c", "b"]],
    ["/a/b/d", ["/a/b/d"]],
    ["/a/b/e", ["/a/{rest*}", "b/e"]],
    ["/a/x/c/f", ["/a/{rest*}", "x/c/f"]],
    ["/q/z", ["/{any}/z", "q"]],
    ["/a/z", ["/a/{x}", "z"]],
    ["/a", undefined],
    ["/a/", undefined],
    ["/a/b/", undefined],
    ["/trailing/", ["/trailing/"]],
    ["/trailing", undefined],
    ["/%61/b", ["/a/b"]],
    ["/a/%2F", ["/a/{x}", "/"]],
    ["/a%2Fb", undefined],
    ["/caf%C3%A9", ["/café"]],
    ["/constructor/__proto__", undefined],
  ];
  // The order in which channels are given must not matter.
  for (const [order, list] of [["in order", paths], ["reversed", paths.toReversed()]] as const) {
    const router = compileRouter(list.map((path) => entry(path)));
    for (const [path, expected] of cases) {
      it(`finds ${path}, ${order}`, () => {
        assert.deepEqual(found(router, path), expected);
      });
    }
  }

  it("keeps methods of one shape apart", () => {
    const { targets } = compileRouter([
      entry("/a/{x}", ["GET", "PUT"]),
      entry("/a/{y}", ["POST"]),
    ]).find("/a/1")!;

    assert.deepEqual(Object.fromEntries(targets), {
      GET: "/a/{x}",
      PUT: "/a/{x}",
      POST: "/a/{y}",
    });
  });

  it("finds each of 10,000 channels", () => {
    const many = Array.from(
      { length: 10_000 },
      (_, index) => `/service-${index % 100}/${index}/{id}`,
    );
    const router = compileRouter(many.map((path) => entry(path)));

    for (const path of many) {
      assert.deepEqual(found(router, path.replace("{id}", "7")), [path, "7"]);
    }
  });
});

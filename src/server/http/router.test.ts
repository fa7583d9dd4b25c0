import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parsePathTemplate } from "../../http/path-template.ts";
import type { RouteEntry, Router } from "../../http/route.ts";
import { compileRouter } from "./router.ts";

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

  it("prefers narrow types to wide ones, types to names, and goes on where one leads nowhere", () => {
    const typed = [
      "/p/{x:word}",
      "/p/{x}",
      "/p/{x:number}",
      "/p/{x:int}",
      "/p/{x:int}/a",
      "/p/{x}/b",
    ];
    for (const list of [typed, typed.toReversed()]) {
      const router = compileRouter(list.map((path) => entry(path)));

      assert.deepEqual(found(router, "/p/7"), ["/p/{x:int}", "7"]);
      assert.deepEqual(found(router, "/p/7.5"), ["/p/{x:number}", "7.5"]);
      assert.deepEqual(found(router, "/p/seven"), ["/p/{x:word}", "seven"]);
      assert.deepEqual(found(router, "/p/a%20b"), ["/p/{x}", "a b"]);
      assert.deepEqual(found(router, "/p/7/b"), ["/p/{x}/b", "7"]);
      assert.equal(found(router, "/p/x/a"), undefined);
    }
  });

  it("prefers hosts to host patterns to all hosts, and goes on where one has no such path", () => {
    const at = (path: string, host: string) => ({ ...entry(path), host, target: host });
    const router = compileRouter([
      entry("/h"),
      entry("/all"),
      at("/h", "*.b.c"),
      at("/h", "a.b.c"),
      at("/h", "*.c"),
    ]);
    const targetAt = (path: string, host: string) =>
      router.find(path, new Headers({ host }))?.targets.get("GET");

    assert.equal(targetAt("/h", "A.b.c.:80"), "a.b.c");
    assert.equal(targetAt("/h", "x.a.b.c"), "*.b.c");
    assert.equal(targetAt("/h", "x.c"), "*.c");
    assert.equal(targetAt("/h", "c"), "/h");
    assert.equal(targetAt("/all", "a.b.c"), "/all");
  });

  it("lets directories end in a slash, and be empty", () => {
    const router = compileRouter([{ ...entry("/s/{path*}"), takesDirectories: true }]);

    assert.deepEqual(found(router, "/s/"), ["/s/{path*}", ""]);
    assert.deepEqual(found(router, "/s/a/"), ["/s/{path*}", "a/"]);
    assert.deepEqual(found(router, "/s/a/b"), ["/s/{path*}", "a/b"]);
    assert.equal(found(router, "/s/a//b"), undefined);
    assert.equal(found(router, "/s"), undefined);
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

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isPlatformError } from "../errors/platform-error.ts";
import type { Method, Route } from "./json-api.ts";
import { createRouter } from "./router.ts";

const route = (method: Method, path: string): Route => ({
  method,
  path,
  roles: [],
  handle: () => undefined,
});

describe("The router", () => {
  const find = createRouter([
    route("GET", "/v1/servers/:name"),
    route("GET", "/v1/servers/self"),
    route("PUT", "/v1/servers/:name"),
    route("GET", "/v1/objects/:kind/:name"),
  ]);

  it("decodes the named parts of a path", () => {
    const { route, params } = find("GET", "/v1/objects/RestChannel/a%2Fb%20c");

    assert.equal(route.path, "/v1/objects/:kind/:name");
    assert.deepEqual(params, { kind: "RestChannel", name: "a/b c" });
  });

  it("prefers a literal part, unless its route has another method", () => {
    assert.equal(find("GET", "/v1/servers/self").route.path, "/v1/servers/self");
    assert.equal(find("PUT", "/v1/servers/self").route.path, "/v1/servers/:name");
  });

  it("answers an unknown path with the nearest one", () => {
    for (const path of ["/v1/servers", "/v1/servers/", "/v1/servers/%zz", "/", "/v1/servers/a/b"]) {
      assert.throws(
        () => find("GET", path),
        (error) => isPlatformError(error, "MTLS_UNKNOWN_PATH"),
      );
    }
    assert.throws(() => find("GET", "/v1/server/self"), /did you mean "\/v1\/servers\/self"/);
  });

  it("says which methods a path takes", () => {
    assert.throws(
      () => find("DELETE", "/v1/servers/self"),
      (error) =>
        isPlatformError(error, "MTLS_WRONG_METHOD") &&
        /takes GET, PUT, not DELETE/.test(error.message),
    );
  });
});

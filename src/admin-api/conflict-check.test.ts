import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { kinds } from "../connectors/registry.ts";
import type { ObjectChange } from "../odb/types.ts";
import { conflictCheck } from "./conflict-check.ts";

const rest = { path: "/crm/{id}", methods: ["GET", "POST"], service: "s", security: "none" };
const soap = { path: "/crm/{name}", wsdl: "secured", service: "s", security: "none" };

function put(kind: string, name: string, spec: Record<string, unknown>): ObjectChange {
  return { op: "put", kind, name, spec, references: [] };
}

/** Checks `changes` to a cluster that then has just these objects. */
function check(changes: readonly ObjectChange[], objects = changes): void {
  const { kinds: wanted, run } = conflictCheck(kinds, changes);
  run(
    new Map(wanted.map((wantedKind) => [
      wantedKind,
      objects.flatMap((object) =>
        object.op === "put" && object.kind === wantedKind ? [object] : []
      ),
    ])),
  );
}

describe("The check for conflicts", () => {
  it("names who has the path, among channels of one kind", () => {
    const mine = put("RestChannel", "mine", rest);
    const theirs = put("RestChannel", "theirs", { ...rest, path: "/crm/{number}" });

    assert.throws(
      () => check([mine], [theirs, mine]),
      /RestChannel "mine".*The RestChannel "theirs" already takes GET at "\/crm\/\{id\}"/,
    );
    // Whichever of them is read first.
    assert.throws(() => check([mine], [mine, theirs]), /RestChannel "mine".*"theirs" already/);
  });

  it("sees channels of different kinds at one path", () => {
    const mine = put("SoapChannel", "mine", soap);
    const theirs = put("RestChannel", "theirs", rest);

    assert.throws(() => check([mine], [theirs, mine]), /"mine".*The RestChannel "theirs"/);
    assert.throws(() => check([theirs], [theirs, mine]), /"theirs".*The SoapChannel "mine"/);
  });

  it("lets channels of other methods, hosts and shapes live at one path", () => {
    check([
      put("RestChannel", "a", { ...rest, methods: ["PUT"] }),
      put("SoapChannel", "b", soap),
      put("RestChannel", "c", { ...rest, host: "a.example.com" }),
      put("RestChannel", "d", { ...rest, path: "/crm/all" }),
    ]);
  });

  it("refuses a second security definition of one name, whatever its kind", () => {
    const key = put("ApiKey", "partner", {});
    const basic = put("BasicAuth", "partner", {});

    assert.throws(
      () => check([basic], [key, basic]),
      /BasicAuth "partner".*The ApiKey "partner" already takes the name "partner"/,
    );
    check([put("BasicCredentials", "partner", {})], [key, put("BasicCredentials", "partner", {})]);
  });

  it("asks for no objects where nothing can be in conflict", () => {
    const change = put("Cache", "rates", {});
    assert.deepEqual(conflictCheck(kinds, [change]).kinds, []);
    const removal: ObjectChange = { op: "delete", kind: "RestChannel", name: "a" };
    assert.deepEqual(conflictCheck(kinds, [removal]).kinds, []);
  });
});

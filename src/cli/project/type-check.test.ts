import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseTypeProblems } from "./type-check.ts";

const printed = `\u001b[1mTS2322 \u001b[0m[ERROR]: Type 'number' is not assignable to type 'string'.
const bad: string = left;
\u001b[31m      ~~~\u001b[0m
    at \u001b[36mfile:///p/services/hello.ts\u001b[0m:\u001b[33m2\u001b[0m:\u001b[33m7\u001b[0m

TS2345 [ERROR]: Argument of type '"a"' is not assignable.
  Type '"a"' is not assignable to type '"b"'.
f("a");
  ^
    at file:///p/lib/f.ts:10:3

    The expected type comes from here
    declare function f(name: "b"): void;
                      ~
        at file:///p/lib/f.ts:1:1

TS2305 [ERROR]: Module has no exported member.
    at file:///p/a%20b.ts:1:1

Found 3 errors.

error: Type checking failed.
`;

describe("What the type checker prints", () => {
  it("becomes one problem for each error, with place and whole message", () => {
    assert.deepEqual(parseTypeProblems(printed, "/p"), [
      {
        file: "services/hello.ts",
        line: 2,
        column: 7,
        code: "TS2322",
        message: "Type 'number' is not assignable to type 'string'.",
      },
      {
        file: "lib/f.ts",
        line: 10,
        column: 3,
        code: "TS2345",
        message:
          `Argument of type '"a"' is not assignable.\n  Type '"a"' is not assignable to type '"b"'.`,
      },
      {
        file: "a b.ts",
        line: 1,
        column: 1,
        code: "TS2305",
        message: "Module has no exported member.",
      },
    ]);
  });

  it("is no problem when it is something else", () => {
    assert.deepEqual(parseTypeProblems("error: Module not found\n", "/p"), []);
  });
});

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { checkTypes } from "../../../src/cli/project/type-check.ts";
import { renderDeclarations } from "../../../src/cli/project/types/declarations.ts";
import type { ObjectView, ServiceView } from "../../../src/admin-api/api.ts";

const service = (name: string, input: unknown, output: unknown): ServiceView => ({
  name,
  description: "",
  input,
  output,
  file: "crm.ts",
  hash: "0",
  deployedAt: "",
  usedBy: [],
});
const object = (kind: string, name: string, spec: Record<string, unknown> = {}): ObjectView => ({
  apiVersion: "dragoman/v1",
  kind,
  name,
  spec,
  secrets: [],
  revision: 1,
  updatedAt: "",
  updatedBy: "",
});
const text = { type: "string" };
const tree = {
  type: "object",
  properties: { name: text, below: { type: "array", items: { $ref: "#" } } },
  required: ["name", "below"],
};

const wsdl = new URL("../soap-outgoing/fixtures/dotnet.wsdl", import.meta.url);
const declarations = renderDeclarations({
  services: [
    service("crm.get", {
      type: "object",
      properties: { id: { type: "integer" } },
      required: ["id"],
    }, {
      type: "object",
      properties: { name: text },
      required: ["name"],
    }),
    service("tree.walk", tree, undefined),
  ],
  objects: [
    object("RestOutgoing", "CRM"),
    object("RestOutgoing", "ERP"),
    object("RestChannel", "customers"),
    object("SoapOutgoing", "Shop", { wsdl: await readFile(wsdl, "utf8"), port: "CustomersSoap" }),
    object("SoapOutgoing", "Broken", { wsdl: "<a/>" }),
    object("Cache", "rates"),
    object("UserConfig", "shop", { values: { currency: "EUR", limit: 5 } }),
    object("Dictionary", "countries"),
  ],
  kinds: [{ kind: "RestChannel", group: "channel" }, { kind: "Cache", group: "data" }],
});

const lines = (body: string) =>
  `import { defineService } from "dragoman";
export const one = defineService({
  name: "one",
  async handle(ctx) {
    ${body}
    return {};
  },
});
`;

const good = [
  `await ctx.out.rest("CRM").get("/x");`,
  `const { name } = await ctx.invoke("crm.get", { id: 1 }); const text: string = name; void text;`,
  `await ctx.invoke("tree.walk", { name: "a", below: [{ name: "b", below: [] }] });`,
  `const { GetCustomerResult: found } = await ctx.out.soap("Shop").call("GetCustomer", { id: 1 });
    const balance: number | undefined = found?.Balance; void balance;`,
  `await ctx.out.soap("Broken").call("anything", {});`,
  `ctx.cache("rates"); ctx.cache("default");`,
  `const currency: string = ctx.config("shop").values.currency; void currency;`,
];
const bad: readonly (readonly [body: string, error: RegExp])[] = [
  [`await ctx.out.rest("CRN").get("/x");`, /"CRN"/],
  [`await ctx.invoke("crm.gett", { id: 1 });`, /crm\.gett/],
  [`await ctx.invoke("crm.get", { id: "1" });`, /string.*number/],
  [`const { nam } = await ctx.invoke("crm.get", { id: 1 }); void nam;`, /nam/],
  [`await ctx.invoke("tree.walk", { name: "a", below: [{ name: "b" }] });`, /below/],
  [`ctx.out.soap("Bank");`, /Bank/],
  [`await ctx.out.soap("Shop").call("GetCustmer", { id: 1 });`, /GetCustmer/],
  [`await ctx.out.soap("Shop").call("GetCustomer", { id: "1" });`, /string.*number/],
  [`ctx.cache("rate");`, /"rate"/],
  [`void ctx.config("shop").values.curency;`, /curency/],
  [`ctx.config("shopp");`, /shopp/],
];

describe("Declarations of what exists in a cluster", { timeout: 120_000 }, () => {
  let directory = "";
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "dragoman-types-"));
    await writeFile(join(directory, "dragoman.d.ts"), declarations);
    await writeFile(join(directory, "good.ts"), lines(good.join("\n    ")));
    for (const [index, [body]] of bad.entries()) {
      await writeFile(join(directory, `bad${index}.ts`), lines(body));
    }
  });
  after(() => rm(directory, { recursive: true, force: true }));

  it("let code compile that names what exists", async () => {
    const { problems, failure } = await checkTypes(directory, ["good.ts", "dragoman.d.ts"]);

    assert.deepEqual(problems, []);
    assert.equal(failure, undefined);
  });

  it("do not let code compile that misspells a name or gives the wrong type", async () => {
    const files = bad.map((_, index) => `bad${index}.ts`);

    const { problems } = await checkTypes(directory, [...files, "dragoman.d.ts"]);

    for (const [index, [body, error]] of bad.entries()) {
      const own = problems.filter(({ file }) => file === `bad${index}.ts`);
      assert.ok(own.length > 0, `this compiles: ${body}`);
      assert.match(own.map(({ message }) => message).join("\n"), error, body);
      assert.equal(own[0]!.line, 5);
    }
  });

  it("let everything compile as long as nothing is known", async () => {
    const { problems } = await checkTypes(directory, ["bad0.ts", "bad1.ts"]);

    assert.deepEqual(problems, []);
  });

  it("are the same text for the same cluster, and end in a newline", () => {
    assert.match(declarations, /}\n$/);
    assert.match(
      declarations,
      /type TreeWalkInput1 = \{\n {2}name: string;\n {2}below: TreeWalkInput1\[\];\n\};/,
    );
  });
});

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { encodeMessage } from "../../../src/soap/wsdl/message-codec.ts";
import { loadWsdl } from "../../../src/soap/wsdl/load-wsdl.ts";
import { readWsdl } from "../../../src/soap/wsdl/read-wsdl.ts";

const fixture = (name: string) => fileURLToPath(import.meta.resolve(`./fixtures/${name}`));

const line = { sku: "AB-1", price: { "@currency": "EUR", "#text": 1.5 } };
const order = { "@source": "web", number: 5, day: "2026-01-31", payer: { name: "x" }, card: "1" };

/** Valid and invalid by libxml2, which knows nothing of us. */
function problems(messages: readonly string[]): readonly string[][] {
  const directory = mkdtempSync(join(tmpdir(), "dragoman-xsd-"));
  try {
    const schema = join(directory, "all.xsd");
    const common = fixture("cxf/schemas/common.xsd");
    // The schema of the WSDL as a file of its own.
    const inner = /<xsd:schema [\s\S]*<\/xsd:schema>/.exec(
      readFileSync(fixture("cxf/interface.wsdl"), "utf8"),
    )![0]
      .replace("schemas/common.xsd", common)
      .replace(
        "<xsd:schema ",
        '<xsd:schema xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:tns="http://shop.example.com/" ',
      );
    writeFileSync(schema, inner);
    const script = fileURLToPath(import.meta.resolve("./validate.py"));
    const { stdout, stderr, status } = spawnSync("/usr/bin/python3", [script], {
      input: JSON.stringify({ schema, messages }),
      encoding: "utf8",
    });
    assert.equal(status, 0, stderr);
    return stdout.trim().split("\n").map((text) => JSON.parse(text));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

describe("What a SoapOutgoing writes", () => {
  it("is valid by the schemas of the WSDL, to somebody else", async () => {
    const { ports, types } = readWsdl(await loadWsdl(fixture("cxf/service.wsdl")));
    const { operations } = ports[0]!;
    const write = (operation: string, input: unknown) =>
      encodeMessage(operations.get(operation)!.input, input, types);
    const messages = [
      write("placeOrder", {}),
      write("placeOrder", { arg0: order }),
      write("placeOrder", {
        arg0: {
          ...order,
          card: undefined,
          invoice: { days: 3 },
          payer: undefined,
          companyPayer: { name: "ACME", vat: "1" },
          lines: [{ ...line, sizes: [1, 2], part: [line, { ...line, part: [line] }] }, null],
          by: "ana",
          at: new Date(),
          "@priority": -1,
          "@lang": "de",
        },
      }),
      write("placeOrder", {
        arg0: { ...order, payer: { "@xsi:type": "company", name: "ACME", vat: "1" } },
      }),
      write("notify", { at: "2026-01-31T10:00:00+01:00", text: "<&>" }),
      // That it is looked at all.
      write("notify", { text: "x" }).replace("text", "txt").replace("/text", "/txt"),
    ];
    const found = problems(messages);
    assert.deepEqual(found.slice(0, -1), messages.slice(0, -1).map(() => []), messages.join("\n"));
    assert.notDeepEqual(found.at(-1), []);
  });
});

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";

const config = fileURLToPath(import.meta.resolve("../../../deno.json"));

// A file of its own: what it declares would hold for every other test.
const source = `
import { createTestKit } from "dragoman/testing";
declare module "dragoman" {
  interface Register {
    rest: "CRM" | "ERP";
    soap: { Bank: { Transfer: { input: { amount: number }; output: { id: string } } } };
    caches: "rates";
  }
}
const kit = createTestKit({ rest: { CRM: {} } });
kit.rest("ERP");
// @ts-expect-error: there is no such connection
kit.rest("CRN");
// @ts-expect-error: there is no such connection
createTestKit({ rest: { CRN: {} } });
kit.soap("Bank").on("Transfer", ({ amount }) => ({ id: String(amount + 1) }));
// @ts-expect-error: the id is a text
kit.soap("Bank").on("Transfer", { id: 1 });
// @ts-expect-error: there is no such operation
kit.soap("Bank").on("Transfers", { id: "1" });
kit.cache("rates");
kit.cache();
// @ts-expect-error: there is no such cache
kit.cache("rate");
`;

describe("The testing kit with a filled register", () => {
  it("compiles with the names that exist, and with no others", () => {
    const directory = mkdtempSync(join(tmpdir(), "kit-types-"));
    try {
      const file = join(directory, "names.ts");
      writeFileSync(file, source);
      const { status, stderr } = spawnSync(
        process.execPath,
        ["check", "--config", config, file],
        { encoding: "utf8" },
      );
      assert.equal(status, 0, stderr);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

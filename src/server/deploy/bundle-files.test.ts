import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { damages } from "../../../test/faults/damage.ts";
import { isPlatformError, PlatformError } from "../../errors/platform-error.ts";
import { sha256Hex } from "../../lib/canonical-json.ts";
import type { NewBundle } from "../../odb/types.ts";
import { loadBundle } from "../worker/bundle-loader.ts";
import { BundleFiles } from "./bundle-files.ts";

let directory: string;

/** Whatever runs of it, however little, is seen in `globalThis.dragomanBundleRuns`. */
const code = `globalThis.dragomanBundleRuns = (globalThis.dragomanBundleRuns ?? 0) + 1;
const { defineService } = globalThis[Symbol.for("dragoman.module")];
${
  Array.from({ length: 300 }, (_, n) => `const text${n} = "Straße ${n}, 東京 \u{1f980}";`).join(
    "\n",
  )
}
export const one = defineService({ name: "one", handle: () => text1 });
`;
const bundle: NewBundle = { file: "one.ts", hash: sha256Hex(code), code, sourceMap: "{}" };
const { hash } = bundle;

before(async () => directory = await mkdtemp(join(tmpdir(), "dragoman-bundles-")));
after(() => rm(directory, { recursive: true, force: true }));

const there = () => Promise.resolve(bundle);
const away = () => {
  const unreachable = { address: "odb", reason: "it is away" };
  return Promise.reject(new PlatformError("ODB_UNREACHABLE", unreachable));
};

describe("A server's copy of a bundle", () => {
  it("never runs when it is damaged, whichever way, and is fetched anew", async (t) => {
    const path = new BundleFiles(directory).path(hash);
    await new BundleFiles(directory).store(bundle);
    const whole = await readFile(path);
    const seed = randomInt(1_000_000);
    const all = damages(whole, { seed, bits: 200 });
    t.diagnostic(`${all.length} ways of damage, seed ${seed}`);

    for (const { what, bytes } of all) {
      await writeFile(path, bytes);
      const told = `${what}, seed ${seed}`;
      await assert.rejects(
        loadBundle(path),
        (error) => isPlatformError(error, "DEPLOY_DAMAGED"),
        told,
      );
      // As the server after a restart: first without the ODB, then with it.
      const files = new BundleFiles(directory);
      await assert.rejects(
        files.ensure(bundle, away),
        (error) => isPlatformError(error, "ODB_UNREACHABLE"),
        told,
      );
      assert.equal((await files.ensure({ file: "one.ts", hash }, there)).path, path);
      assert.deepEqual(await readFile(path), whole, told);
    }

    assert.ok(all.length > 250, `${all.length} ways`);
    assert.equal(Reflect.get(globalThis, "dragomanBundleRuns"), undefined);
    const { services } = await loadBundle(path);
    assert.deepEqual(services.map(({ name }) => name), ["one"]);
    assert.equal(Reflect.get(globalThis, "dragomanBundleRuns"), 1);
  });

  it("that was whole once is read again only when somebody wants to know", async () => {
    const files = new BundleFiles(directory);
    await files.ensure(bundle, there);
    await writeFile(files.path(hash), "damaged");

    await files.ensure(bundle, away);
    await assert.rejects(files.ensure(bundle, away, { anew: true }));
    await files.ensure(bundle, there, { anew: true });

    assert.match(await readFile(files.path(hash), "utf8"), /^globalThis/);
  });

  it("is not taken from an ODB that has another code under its hash", async () => {
    const files = new BundleFiles(directory);
    const forged = () => Promise.resolve({ ...bundle, code: `${code}\n` });

    await rm(files.path(hash));
    await assert.rejects(
      files.ensure(bundle, forged),
      (error) => isPlatformError(error, "DEPLOY_HASH"),
    );
  });
});

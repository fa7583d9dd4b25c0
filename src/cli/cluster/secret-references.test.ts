import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { z } from "zod";
import { parseYaml } from "../../config/yaml-source.ts";
import { requireSecrets, resolveSecrets } from "./secret-references.ts";

const schema = z.toJSONSchema(z.strictObject({
  username: z.string(),
  wsdl: z.string().optional(),
  password: z.string().meta({ secret: "password" }),
}));

describe("A secret in a file of objects", () => {
  let directory = "";
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "dragoman-secret-"));
    await writeFile(join(directory, "pw"), "from file\n");
  });
  after(() => rm(directory, { recursive: true, force: true }));

  const read = (password: string, env: Record<string, string> = {}) => {
    const file = join(directory, "objects.yaml");
    const text = `spec:\n  username: "\${env:USER_NAME}"\n  password: ${
      JSON.stringify(password)
    }\n`;
    const [source] = parseYaml(text, file);
    const spec = { username: "${env:USER_NAME}", password };
    return resolveSecrets(spec, { schema, source: source!, env });
  };
  const resolve = async (password: string, env: Record<string, string> = {}) => {
    const resolved = await read(password, env);
    requireSecrets(resolved);
    return resolved.spec;
  };

  it("is taken from the environment, or from a file beside it without its last newline", async () => {
    assert.equal((await resolve("${env:PW}", { PW: "s3cret" }))["password"], "s3cret");
    assert.equal((await resolve("${file:pw}"))["password"], "from file");
  });

  it("can be read from a file although it is none, and a WSDL with what it imports", async () => {
    const definitions = '<definitions xmlns="http://schemas.xmlsoap.org/wsdl/"';
    await writeFile(
      join(directory, "a.wsdl"),
      `${definitions}><import location="b.wsdl"/></definitions>`,
    );
    await writeFile(join(directory, "b.wsdl"), `${definitions} name="inner"/>`);
    const [source] = parseYaml("spec: {}\n", join(directory, "objects.yaml"));
    const given = { username: "${file:pw}", wsdl: "${file:a.wsdl}" };
    const { spec } = await resolveSecrets(given, { schema, source: source!, env: {} });
    assert.equal(spec["username"], "from file");
    assert.match(String(spec["wsdl"]), /<import><definitions .*name="inner"/);
  });

  it("is left as it is when it is no reference, and so is what is not secret", async () => {
    const spec = await resolve("a ${env:PW} b", { PW: "x", USER_NAME: "y" });

    assert.deepEqual(spec, { username: "${env:USER_NAME}", password: "a ${env:PW} b" });
  });

  it("that is not set is refused with the variable's name and place", async () => {
    for (const env of [{}, { PW: "" }]) {
      await assert.rejects(resolve("${env:PW}", env), {
        code: "CLI_SECRET_REFERENCE",
        message: `${join(directory, "objects.yaml")}:3:3: Environment variable "PW" is not set`,
      });
    }
  });

  it("in a file that cannot be read is refused with the file's name", async () => {
    await assert.rejects(resolve("${file:nope}"), {
      code: "CLI_SECRET_REFERENCE",
      message: /objects\.yaml:3:3: Cannot read "nope": .*ENOENT|no such file/i,
    });
  });

  it("that cannot be read is left out for those who can do without, and named", async () => {
    const { spec, unknown } = await read("${env:PW}");

    assert.deepEqual(spec, { username: "${env:USER_NAME}" });
    assert.deepEqual(unknown.map(({ field, reason }) => [field, reason]), [
      ["password", 'Environment variable "PW" is not set'],
    ]);
  });

  it("that stands there in clear is worth a warning that does not repeat it", async () => {
    const { inClear } = await read("in clear");

    assert.equal(inClear.length, 1);
    assert.doesNotMatch(inClear[0]!.reason, /in clear/);
    assert.deepEqual((await read("${env:PW}", { PW: "x" })).inClear, []);
  });
});

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { z } from "zod";
import { parseYaml } from "../../config/yaml-source.ts";
import { resolveSecrets } from "./secret-references.ts";

const schema = z.toJSONSchema(z.strictObject({
  username: z.string(),
  password: z.string().meta({ secret: "password" }),
}));

describe("A secret in a file of objects", () => {
  let directory = "";
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "dragoman-secret-"));
    await writeFile(join(directory, "pw"), "from file\n");
  });
  after(() => rm(directory, { recursive: true, force: true }));

  const resolve = (password: string, env: Record<string, string> = {}) => {
    const file = join(directory, "objects.yaml");
    const text = `spec:\n  username: "\${env:USER_NAME}"\n  password: ${
      JSON.stringify(password)
    }\n`;
    const [source] = parseYaml(text, file);
    const spec = { username: "${env:USER_NAME}", password };
    return resolveSecrets(spec, { schema, source: source!, env });
  };

  it("is taken from the environment, or from a file beside it without its last newline", async () => {
    assert.equal((await resolve("${env:PW}", { PW: "s3cret" }))["password"], "s3cret");
    assert.equal((await resolve("${file:pw}"))["password"], "from file");
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
});

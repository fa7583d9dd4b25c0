import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { z } from "zod";
import { type Code, codes } from "../errors/codes.ts";
import {
  componentPaths,
  createComponent,
  isEmptyDirectory,
  loadConfig,
  loadMarker,
  loadSecret,
  version,
} from "./component.ts";
import { loadBalancerConfigSchema } from "./schemas.ts";

const schema = z.strictObject({ http: z.strictObject({ port: z.int(), host: z.string() }) });
const config = { http: { port: 80, host: "a" } };

function refusal(code: Code, message: RegExp) {
  assert.ok(code in codes);
  return (error: unknown) => {
    assert.ok(error instanceof Error && "code" in error);
    assert.equal(error.code, code);
    assert.match(error.message, message);
    return true;
  };
}

describe("A component's directory", () => {
  let root = "";
  before(async () => {
    root = await mkdtemp(join(tmpdir(), "component-"));
  });
  after(() => rm(root, { recursive: true }));

  it("has marker, configuration, folders and secrets that only its owner can read", async () => {
    const directory = join(root, "deep", "server");
    const secrets = { "cluster.key": "k3y\n" };

    const paths = await createComponent(directory, { component: "server", config, secrets });

    const mode = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);
    const names = ["component.json", "config.yaml", "log", "run", "secrets", "state", "tls"];
    assert.deepEqual((await readdir(directory)).sort(), names);
    assert.deepEqual(await Promise.all([paths.secrets, paths.tls].map(mode)), ["700", "700"]);
    assert.equal(await mode(join(paths.secrets, "cluster.key")), "600");
    assert.equal(await readFile(paths.config, "utf8"), "http:\n  port: 80\n  host: a\n");
    const marker = await loadMarker(directory, "server");
    assert.deepEqual([marker.component, marker.version], ["server", version]);
    assert.ok(Date.parse(marker.createdAt) <= Date.now());
    assert.equal(await loadSecret(directory, "cluster.key"), "k3y");
    assert.equal(await loadSecret(directory, "odb-password"), undefined);
  });

  it("tells what it is when something else was wanted", async () => {
    const directory = join(root, "ca");
    await createComponent(directory, { component: "ca", config: {} });
    await mkdir(join(root, "empty"));

    await assert.rejects(
      loadMarker(directory, "server"),
      refusal("CONFIG_WRONG_COMPONENT", /\/ca" is a ca, not a server$/),
    );
    for (const name of ["empty", "no-such-directory"]) {
      await assert.rejects(
        loadMarker(join(root, name)),
        refusal("CONFIG_NOT_A_COMPONENT", new RegExp(`${name}" is not a Dragoman component`)),
      );
    }
  });

  const markers: readonly (readonly [text: string, code: Code, message: RegExp])[] = [
    ["", "CONFIG_NOT_A_COMPONENT", /no component\.json/],
    ["{", "CONFIG_SYNTAX", /component\.json:1:2: /],
    ['{"component":"toaster"}', "CONFIG_INVALID", /component\.json:1:2: .*"component"/],
  ];
  for (const [text, code, message] of markers) {
    it(`is refused with the marker ${JSON.stringify(text)}`, async () => {
      const directory = await mkdtemp(join(root, "marker-"));
      await writeFile(componentPaths(directory).marker, text);
      await assert.rejects(loadMarker(directory), refusal(code, message));
    });
  }

  it("is empty when it does not exist or holds nothing", async () => {
    const file = join(root, "file");
    await writeFile(file, "");

    const answers = await Promise.all([
      isEmptyDirectory(join(root, "never")),
      isEmptyDirectory(await mkdtemp(join(root, "hollow-"))),
      isEmptyDirectory(root),
      isEmptyDirectory(file),
    ]);

    assert.deepEqual(answers, [true, true, false, false]);
  });
});

describe("A component's configuration", () => {
  let directory = "";
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "config-"));
    await createComponent(directory, { component: "server", config });
  });
  after(() => rm(directory, { recursive: true }));

  it("is read, overridden by the environment and frozen at every level", async () => {
    const loaded = await loadConfig(directory, schema, { DRAGOMAN__HTTP__PORT: "8080" });

    assert.deepEqual(loaded, { http: { port: 8080, host: "a" } });
    assert.ok(Object.isFrozen(loaded) && Object.isFrozen(loaded.http));
  });

  it("may come from the environment alone", async () => {
    const empty = await mkdtemp(join(directory, "empty-"));
    await writeFile(componentPaths(empty).config, "# all in the environment\n");
    const env = { DRAGOMAN__HTTP__PORT: "1", DRAGOMAN__HTTP__HOST: "b" };

    assert.deepEqual(await loadConfig(empty, schema, env), { http: { port: 1, host: "b" } });
  });

  it("is refused with file, line and column", async () => {
    const { config: file } = componentPaths(directory);
    await writeFile(file, "http:\n  prot: 80\n  host: a\n");

    await assert.rejects(
      loadConfig(directory, schema, {}),
      refusal("CONFIG_INVALID", /config\.yaml:2:3|config\.yaml:1:1/),
    );
    await rm(file);
    await assert.rejects(
      loadConfig(directory, schema, {}),
      refusal("CONFIG_UNREADABLE", /config\.yaml/),
    );
  });

  it("of a load balancer has defaults for all but names, engine and ports", () => {
    const parsed = loadBalancerConfigSchema.parse({
      name: "lb",
      cluster: "c",
      engine: "embedded",
      http: { port: 11_223 },
      agent: { port: 20_151 },
    });

    assert.equal(parsed.http.host, "127.0.0.1");
    assert.equal(parsed.environment, "production");
    assert.deepEqual(parsed.healthCheck, { intervalMs: 500, rise: 1, fall: 2 });
    for (const wrong of ["line\nbreak", "", "-a", "a b"]) {
      assert.equal(loadBalancerConfigSchema.safeParse({ ...parsed, name: wrong }).success, false);
    }
  });
});

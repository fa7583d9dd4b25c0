import assert from "node:assert/strict";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { loadConfig, loadMarker } from "../config/component.ts";
import { loadBalancerConfigSchema } from "../config/schemas.ts";
import { isPlatformError } from "../errors/platform-error.ts";
import { createLoadBalancer } from "./create.ts";

describe("createLoadBalancer", () => {
  let root: string;
  before(async () => root = await mkdtemp(join(tmpdir(), "dragoman-create-")));
  after(() => rm(root, { recursive: true }));

  const options = {
    name: "balancer",
    cluster: "demo",
    environment: "development",
    engine: "embedded",
    http: { host: "127.0.0.1", port: 11223 },
    agent: { host: "127.0.0.1", port: 20151 },
  } as const;

  it("makes a directory that holds what was asked for", async () => {
    const directory = join(root, "one");

    const { engine } = await createLoadBalancer(directory, options);

    assert.equal(engine, "embedded");
    assert.equal((await loadMarker(directory)).component, "load-balancer");
    const config = await loadConfig(directory, loadBalancerConfigSchema, {});
    assert.deepEqual(config, loadBalancerConfigSchema.parse(options));
  });

  it("makes nothing of what is not valid, and names the field", async () => {
    const directory = join(root, "two");

    await assert.rejects(
      createLoadBalancer(directory, { ...options, http: { host: "127.0.0.1", port: 99_999 } }),
      (error: unknown) =>
        isPlatformError(error, "CONFIG_INVALID") && error.message.includes("http.port"),
    );

    await assert.rejects(stat(directory));
  });
});

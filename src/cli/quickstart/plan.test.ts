import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { environmentConfigSchema } from "../../config/schemas.ts";
import { environmentOf, planQuickstart, portsOf } from "./plan.ts";

const options = {
  directory: "/srv/my demo",
  servers: 3,
  workers: 1,
  odb: undefined,
  kvdb: "embedded",
  balancer: "auto",
  portOffset: 0,
} as const;

describe("The plan of quickstart", () => {
  it("has the ports that users know, each shifted by the offset", () => {
    const ports = portsOf(planQuickstart(options)).map(({ port }) => port);
    const shifted = portsOf(planQuickstart({ ...options, portOffset: 1_000 }));

    assert.deepEqual(ports, [17379, 11223, 20151, 17010, 17110, 17011, 17111, 17012, 17112, 8183]);
    assert.deepEqual(shifted.map(({ port }) => port - 1_000), ports);
  });

  it("gives no port to two components, however many servers there are", () => {
    const ports = portsOf(planQuickstart({ ...options, servers: 50 })).map(({ port }) => port);

    assert.equal(new Set(ports).size, ports.length);
  });

  it("has no KVDB of its own where there is one", () => {
    const kvdb = { url: "redis://10.0.0.5:6379/0" };
    const environment = environmentOf(planQuickstart({ ...options, kvdb }));

    assert.ok(!environment.components.some(({ component }) => component === "kvdb"));
  });

  it("describes a valid environment, with a SQLite URL that survives a space", () => {
    const plan = planQuickstart(options);

    environmentConfigSchema.parse(environmentOf(plan));
    assert.equal(plan.odb.url, "sqlite:///srv/my%20demo/odb.db");
  });
});

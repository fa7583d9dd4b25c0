import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { serviceSettings } from "./service-settings.ts";

describe("ServiceSettings", () => {
  it("leave to the service what they do not say", () => {
    assert.deepEqual(serviceSettings.schema.parse({ service: "a" }), {
      service: "a",
      active: true,
    });
  });

  const wrong: readonly Record<string, unknown>[] = [
    {},
    { service: "" },
    { service: "a", logLevel: "loud" },
    { service: "a", timeoutMs: 0 },
    { service: "a", maxConcurrent: 0 },
    { service: "a", queueMax: -1 },
    { service: "a", slowMs: 1.5 },
    { service: "a", surprise: true },
  ];
  for (const spec of wrong) {
    it(`refuse ${JSON.stringify(spec)}`, () => {
      assert.equal(serviceSettings.schema.safeParse(spec).success, false);
    });
  }

  it("have the name of their service, so that each has one", () => {
    const spec = serviceSettings.schema.parse({ service: "a" });

    assert.equal(serviceSettings.conflict?.(spec, [], "a"), undefined);
    assert.equal(
      serviceSettings.conflict?.(spec, [], "b"),
      'Settings have the name of their service, here "a"',
    );
  });
});

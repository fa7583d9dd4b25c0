import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parse } from "yaml";
import { kinds } from "../../connectors/registry.ts";
import { serviceFiles } from "./service-template.ts";

const plan = { methods: ["GET"], security: ["key"] };

describe("The files of a new service", () => {
  for (
    const [name, exported, base] of [
      ["hello", "hello", "hello"],
      ["crm.customer.get", "crmCustomerGet", "crm-customer-get"],
      ["CRM_sync-all", "crmSyncAll", "crm-sync-all"],
      ["delete", "deleteService", "delete"],
      ["2fa.check", "service2faCheck", "2fa-check"],
    ] as const
  ) {
    it(`called ${name} export ${exported} from ${base}.ts`, () => {
      const [service, test] = serviceFiles({ name, ...plan });

      assert.equal(service!.path, `services/${base}.ts`);
      assert.ok(
        service!.text.includes(`export const ${exported} = defineService({\n  name: "${name}"`),
      );
      assert.ok(test!.text.includes(`import { ${exported} } from "./${base}.ts"`));
    });
  }

  it("have a channel that its kind takes, whatever the names", () => {
    for (const name of ["hello", "true", "1.5", "a.b_c-d"]) {
      const channel = serviceFiles({ name, ...plan, security: [] }).at(-1)!;
      const document = parse(channel.text);

      assert.equal(document.name, name);
      assert.equal(kinds.get("RestChannel")!.schema.parse(document.spec)["service"], name);
    }
    const at = serviceFiles({ name: "x", ...plan, path: "/x/{id}" }).at(-1)!;
    assert.deepEqual(parse(at.text).spec, {
      path: "/x/{id}",
      methods: ["GET"],
      service: "x",
      security: ["key"],
    });
  });

  it("are refused for what cannot be a service's name", () => {
    for (const name of ["", "a b", "../x", "é"]) {
      assert.throws(() => serviceFiles({ name, ...plan }), { code: "CLI_SERVICE_NAME" });
    }
  });
});

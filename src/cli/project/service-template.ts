import { PlatformError } from "../../errors/platform-error.ts";
import type { NewFile } from "./new-files.ts";

/** What a new service is to be. */
export interface ServicePlan {
  /** `crm.customer.get` */
  readonly name: string;
  /** Methods of its channel. */
  readonly methods: readonly string[];
  /** Default: from the name, such as `/crm/customer/get`. */
  readonly path?: string;
  /** Names of security definitions; empty: none. */
  readonly security: readonly string[];
}

/** Marks YAML files for editors that know the YAML language server. */
export const schemaComment = "# yaml-language-server: $schema=../.dragoman/objects.schema.json\n";

/** The files of a new service: the service, its test and its channel. Throws CLI_SERVICE_NAME. */
export function serviceFiles(plan: ServicePlan): readonly NewFile[] {
  const name = checkServiceName(plan.name);
  const words = name.toLowerCase().split(/[._-]+/).filter((word) => word !== "");
  const base = words.join("-");
  const exported = identifierOf(words);
  return [
    { path: `services/${base}.ts`, text: serviceText(name, exported) },
    { path: `services/${base}.test.ts`, text: testText(base, exported) },
    { path: `objects/${base}.yaml`, text: schemaComment + channelText(plan, words) },
  ];
}

/** Throws CLI_SERVICE_NAME for what no service can be called. */
export function checkServiceName(name: string): string {
  if (/^[a-z0-9][a-z0-9._-]{0,199}$/i.test(name)) return name;
  throw new PlatformError("CLI_SERVICE_NAME", { name: name.slice(0, 300) });
}

function identifierOf(words: readonly string[]): string {
  const name = words.map((word, index) =>
    index === 0 ? word : word.charAt(0).toUpperCase() + word.slice(1)
  ).join("");
  if (/^\d/.test(name)) return `service${name}`;
  // Services are often called after what they do, and `delete` or `new` name no constant.
  return reserved.has(name) ? `${name}Service` : name;
}

const reserved = new Set(
  ("await break case catch class const continue debugger default delete do else enum export " +
    "extends false finally for function if import in instanceof interface let new null package " +
    "private protected public return static super switch this throw true try typeof var void " +
    "while with yield arguments eval").split(" "),
);

function serviceText(name: string, exported: string): string {
  return `import { defineService, z } from "dragoman";

export const ${exported} = defineService({
  name: "${name}",
  description: "Greets whoever calls",
  input: z.object({ name: z.string().min(1).max(100).default("world") }),
  output: z.object({ greeting: z.string() }),
  handle: ({ input, log }) => {
    log.info("Greeting", { to: input.name });
    return { greeting: \`Hello, \${input.name}!\` };
  },
});
`;
}

function testText(base: string, exported: string): string {
  return `import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createTestKit } from "dragoman/testing";
import { ${exported} } from "./${base}.ts";

describe("${exported}", () => {
  const kit = createTestKit({ services: [${exported}] });

  it("greets by name", async () => {
    const { output } = await kit.run(${exported}, { name: "Ana" });

    assert.deepEqual(output, { greeting: "Hello, Ana!" });
  });

  it("refuses an empty name", async () => {
    await assert.rejects(kit.run(${exported}, { name: "" }), { code: "REQUEST_INPUT_INVALID" });
  });
});
`;
}

function channelText({ name, methods, path, security }: ServicePlan, words: readonly string[]) {
  return `apiVersion: dragoman/v1
kind: RestChannel
name: ${yamlText(name)}
spec:
  path: ${yamlText(path ?? `/${words.join("/")}`)}
  methods: [${methods.join(", ")}]
  service: ${yamlText(name)}
  security: ${security.length === 0 ? "none" : `[${security.map(yamlText).join(", ")}]`}
`;
}

/** A scalar, in quotes where YAML would take it for something else than this text. */
function yamlText(text: string): string {
  const isPlain = /^[a-z/][\w./*-]*$/i.test(text) &&
    !/^(true|false|null|yes|no|on|off|y|n)$/i.test(text);
  return isPlain ? text : JSON.stringify(text);
}

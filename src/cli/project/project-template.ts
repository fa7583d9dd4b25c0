import type { NewFile } from "./new-files.ts";
import { schemaComment, serviceFiles } from "./service-template.ts";

/** What a new project is called, and the secret that its first API key has. */
export interface ProjectPlan {
  /** `shop`: of the package, its first key and its environment variable. */
  readonly name: string;
  readonly key: string;
}

/** The name of a project in a directory of this base name. */
export function projectName(base: string): string {
  return base.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "") || "services";
}

/** The files of a new project. */
export function projectFiles({ name, key }: ProjectPlan): readonly NewFile[] {
  const variable = `${name.toUpperCase().replaceAll("-", "_")}_API_KEY`.replace(/^(?=\d)/, "KEY_");
  const security = `${name}-key`;
  return [
    { path: "package.json", text: packageText(name) },
    { path: "tsconfig.json", text: tsconfigText },
    { path: "deno.json", text: denoText },
    { path: "dragoman.d.ts", text: emptyDeclarations },
    ...serviceFiles({ name: "hello", methods: ["GET", "POST"], security: [security] }),
    { path: "objects/security.yaml", text: keyText(security, variable) },
    { path: ".env", text: `${variable}=${key}\n`, isSecret: true },
    { path: ".env.example", text: `${variable}=at-least-16-characters\n` },
    { path: ".gitignore", text: gitignoreText },
    { path: "README.md", text: readmeText(name, variable) },
  ];
}

/** What `dragoman.d.ts` is before the first `dragoman types`. */
export const emptyDeclarations =
  `// Names and types of what exists in the cluster, so that a misspelt name does not compile.
// Written by dragoman types, and by dragoman dev whenever something is deployed.
import "dragoman";
`;

function packageText(name: string): string {
  const content = {
    name,
    version: "0.1.0",
    private: true,
    type: "module",
    scripts: { dev: "dragoman dev", test: "dragoman test", check: "dragoman check" },
  };
  return JSON.stringify(content, null, 2) + "\n";
}

const tsconfigText = `{
  // For editors. ".dragoman" says where "dragoman" and "dragoman/testing" are on this machine;
  // dragoman check writes it again in a fresh clone.
  "extends": "./.dragoman/tsconfig.json",
  "include": ["**/*.ts"],
  "exclude": ["node_modules", ".dragoman"]
}
`;

const denoText = `{
  // For editors that use Deno. Absolute paths to this machine's Dragoman are in ".dragoman", which
  // dragoman check writes again in a fresh clone.
  "importMap": "./.dragoman/import-map.json",
  "nodeModulesDir": "manual",
  "lock": false,
  "exclude": [".dragoman"]
}
`;

function keyText(security: string, variable: string): string {
  return `${schemaComment}apiVersion: dragoman/v1
kind: ApiKey
name: ${security}
spec:
  header: X-API-Key
  key: \${env:${variable}}
`;
}

const gitignoreText = `node_modules/
# This machine's paths, and the cluster of dragoman dev.
.dragoman/
# Secrets for development; .env.example names them.
.env
`;

function readmeText(name: string, variable: string): string {
  return `# ${name}

Services for Dragoman. \`dragoman\` is the program of that name in the directory where Dragoman is
installed; put that directory on your PATH.

\`\`\`sh
dragoman dev            # a cluster of your own; every file you save is live in a moment
dragoman test           # the tests beside the services
dragoman check          # types
\`\`\`

While \`dragoman dev\` runs, in another terminal (the address is among the first lines it prints):

\`\`\`sh
. ./.env
curl -H "X-API-Key: $${variable}" 'http://127.0.0.1:11223/hello?name=Ana'
\`\`\`

| where | what |
| --- | --- |
| \`services/\` | one file per service or group of services, and its test; deployed as a whole |
| \`objects/\` | channels, security definitions and all other objects, as YAML |
| \`.env\` | secrets that \`objects/\` refers to as \`\${env:NAME}\`; not for version control |
| \`dragoman.d.ts\` | names of what exists in the cluster; written by \`dragoman types\` |

Next steps:

\`\`\`sh
dragoman new service crm.customer.get --method GET
dragoman deploy services/hello.ts --env DIR      # to a cluster that runs elsewhere
dragoman diff -f objects --env DIR --env-file .env
dragoman apply -f objects --env DIR --env-file .env
\`\`\`
`;
}

import { readFile, stat } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { findExecutable } from "../../lib/executables.ts";
import { type Finding, finding } from "./finding.ts";

const packageSchema = z.object({ dependencies: z.record(z.string(), z.string()) });
const installedSchema = z.object({ version: z.string() });

/** What must be right on this machine before any component can run. */
export async function checkPlatform(): Promise<readonly Finding[]> {
  return await Promise.all([
    finding("runtime", checkRuntime),
    finding("packages", checkPackages),
    finding("web admin pages", checkPages),
    finding("haproxy", () => checkProgram("the embedded balancer is used", "haproxy")),
    finding(
      "redis",
      () => checkProgram("the embedded KVDB is used", "redis-server", "valkey-server"),
    ),
  ]);
}

function rootPath(relative: string): string {
  return fileURLToPath(new URL(`../../../${relative}`, import.meta.url));
}

async function readDependencies(): Promise<Readonly<Record<string, string>>> {
  return packageSchema.parse(JSON.parse(await readFile(rootPath("package.json"), "utf8")))
    .dependencies;
}

async function checkRuntime(): Promise<string | Omit<Finding, "check">> {
  const wanted = (await readDependencies())["deno"];
  const found = process.versions["deno"];
  if (found === wanted) return `deno ${found}`;
  const detail = `deno ${found ?? "is not what runs this"}, and ${wanted} is wanted`;
  return { state: "failed", detail, fix: "Start it as dragoman, from the repository" };
}

async function checkPackages(): Promise<string | Omit<Finding, "check">> {
  const wanted = Object.entries(await readDependencies());
  const wrong: string[] = [];
  for (const [name, version] of wanted) {
    const file = rootPath(`node_modules/${name}/package.json`);
    const text = await readFile(file, "utf8").catch(() => undefined);
    const found = text === undefined ? "missing" : installedSchema.parse(JSON.parse(text)).version;
    if (found !== version) wrong.push(`${name} ${version}: ${found}`);
  }
  if (wrong.length === 0) return `${wanted.length} packages`;
  const fix = `Run npm ci in ${rootPath("")}`;
  return { state: "failed", detail: wrong.join(", "), fix };
}

async function checkPages(): Promise<string | Omit<Finding, "check">> {
  const page = rootPath("web-admin/dist/index.html");
  if (await stat(page).then(() => true, () => false)) return "built";
  const fix = `Run npm run build -w web-admin in ${rootPath("")}`;
  return { state: "failed", detail: "not built", fix };
}

async function checkProgram(
  otherwise: string,
  ...names: readonly string[]
): Promise<string | Omit<Finding, "check">> {
  const path = findExecutable(...names);
  if (path !== undefined) return await Promise.resolve(path);
  const fix = `Install ${names.join(" or ")} for production`;
  return { state: "warning", detail: `not installed, so ${otherwise}`, fix };
}

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { describe, it } from "node:test";
import { codes } from "../src/errors/codes.ts";

// Holds what CONTRIBUTING.md promises about the shape of the code. Sizes, cycles and floating
// promises are oxlint's; what it cannot see is here.

const root = resolve(import.meta.dirname!, "..");
const ignored = new Set([
  "node_modules",
  "dist",
  ".git",
  ".cache",
  "golden",
  "coverage",
  ".dragoman",
]);

function walk(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    if (ignored.has(entry.name)) return [];
    const path = join(directory, entry.name);
    return entry.isDirectory() ? walk(path) : [path];
  });
}

const files = ["src", "test", "bench", "examples", "scripts", "web-admin", "docs", "deploy"]
  .flatMap((folder) => walk(join(root, folder)))
  .concat(
    readdirSync(root).map((name) => join(root, name)).filter((path) => statSync(path).isFile()),
  )
  .map((path) => relative(root, path));
const sources = files.filter((path) => /\.tsx?$/.test(path));
const read = (path: string) => readFileSync(join(root, path), "utf8");
const isTest = (path: string) => path.endsWith(".test.ts") || path.startsWith("test/");

/** Folders of src in order: a file may import from its own folder and from those before it. */
const layers = [
  "lib",
  "errors",
  "telemetry",
  "config",
  "catalog",
  "xml",
  "mtls",
  "odb",
  "kvdb",
  "security",
  "ca",
  "service",
  "formats",
  "http",
  "soap",
  "scheduler",
  "connectors",
  "cluster",
  "load-balancer",
  "server",
  "admin-api",
  "rehearsal",
  "cli",
];

/** The only files that may name the runtime: it must stay replaceable. */
const runtimeFiles = ["src/server/http/engine.ts"];

function importsOf(path: string): string[] {
  const found = read(path).matchAll(/(?:from|import|import\.meta\.resolve\()\s*\(?\s*"([^"]+)"/g);
  return [...found].map(([, specifier]) => specifier!);
}

function targetOf(path: string, specifier: string): string {
  return relative(root, resolve(root, dirname(path), specifier));
}

describe("The tree", () => {
  it("has every folder of src in the order of layers", () => {
    assert.deepEqual(readdirSync(join(root, "src")).sort(), [...layers].sort());
  });

  it("imports only from its own layer and from lower ones", () => {
    const layerOf = (path: string) => layers.indexOf(path.split("/")[1] ?? "");
    const wrong = sources.filter((path) => path.startsWith("src/") && !isTest(path)).flatMap((
      path,
    ) =>
      importsOf(path).filter((name) => name.startsWith(".")).map((name) => targetOf(path, name))
        .filter((target) => target.startsWith("src/") && layerOf(target) > layerOf(path))
        .map((target) => `${path} -> ${target}`)
    );
    assert.deepEqual(wrong, []);
  });

  it("keeps connectors apart from one another", () => {
    const connectorOf = (path: string) => /^src\/connectors\/([^/]+)\//.exec(path)?.[1];
    const wrong = sources.flatMap((path) =>
      importsOf(path).map((name) => targetOf(path, name))
        .filter((target) => connectorOf(path) && connectorOf(target))
        .filter((target) => connectorOf(path) !== connectorOf(target))
        .map((target) => `${path} -> ${target}`)
    );
    assert.deepEqual(wrong, []);
  });

  it("lets the browser code import nothing of the platform but types", () => {
    const wrong = sources.filter((path) => path.startsWith("web-admin/src/")).filter((path) =>
      /^import (?!type )[^;]*from "[./]+\/src\//m.test(read(path))
    );
    assert.deepEqual(wrong, []);
  });

  it("lets the web admin's server import only leaves and the way to the admin API", () => {
    const allowed =
      /^(web-admin\/|src\/(lib|errors|telemetry|config|mtls)\/|src\/security\/passwords\.ts)/;
    const typeOnly = (path: string, name: string) =>
      new RegExp(`import type [^;]*"${name.replaceAll(".", "\\.")}"`).test(read(path));
    const wrong = sources.filter((path) => path.startsWith("web-admin/server/") && !isTest(path))
      .flatMap((path) =>
        importsOf(path).filter((name) => name.startsWith(".") && !typeOnly(path, name))
          .map((name) => targetOf(path, name)).filter((target) => !allowed.test(target))
          .map((target) => `${path} -> ${target}`)
      );
    assert.deepEqual(wrong, []);
  });

  it("names the runtime only where it may", () => {
    const wrong = sources.filter((path) => path.startsWith("src/") || path.startsWith("web-admin/"))
      .filter((path) => /\bDeno\.\w/.test(read(path)) && !runtimeFiles.includes(path));
    assert.deepEqual(wrong, []);
  });

  it("has kebab-case names and no drawers", () => {
    const badName = sources.filter((path) =>
      !/^[a-z0-9]+(-[a-z0-9]+)*(\.test|\.gen|\.config)?\.tsx?$/.test(basename(path)) &&
      !path.startsWith("web-admin/src/routes/")
    );
    const drawers = sources.filter((path) =>
      path.split("/").some((part) => /^(utils?|common|helpers?|misc|core)(\.ts)?$/.test(part))
    );
    assert.deepEqual([...badName, ...drawers], []);
  });

  it("has no folder with more than 20 source files", () => {
    const counts = new Map<string, number>();
    for (const path of sources.filter((source) => !isTest(source))) {
      counts.set(dirname(path), (counts.get(dirname(path)) ?? 0) + 1);
    }
    assert.deepEqual([...counts].filter(([, count]) => count > 20), []);
  });

  it("has no unfinished business, tests that do not run, or words of another place", () => {
    const banned = /\b(TODO|FIXME|XXX|HACK)\b|\b(it|describe|test)\.(skip|only|todo)\b/;
    // Spelt in two pieces, so that this file does not find itself.
    const elsewhere = new RegExp(
      ["registry\\.npm" + "js", "sha" + "red/(design|house-style|reference)", "/wo" + "rk/main"]
        .join("|"),
    );
    const wrong = files.filter((path) => /\.(tsx?|md|sh|json|ya?ml)$/.test(path))
      .filter((path) => path !== "test/tidy.test.ts" && path !== "package-lock.json")
      .filter((path) => banned.test(read(path)) || elsewhere.test(read(path)));
    assert.deepEqual(wrong, []);
  });
});

describe("package-lock.json", () => {
  interface LockedPackage {
    readonly optionalDependencies?: Readonly<Record<string, string>>;
  }
  const text = read("package-lock.json");
  const packages: Record<string, LockedPackage> = JSON.parse(text).packages;

  it("has the packages of every platform (deno run -A scripts/complete-lock.ts adds them)", () => {
    const wanted = Object.values(packages).flatMap(({ optionalDependencies = {} }) =>
      Object.entries(optionalDependencies).filter(([, version]) => /^\d/.test(version))
    );
    const missing = wanted.map(([name]) => name).filter((name) => {
      return !Object.keys(packages).some((path) => path.endsWith(`node_modules/${name}`));
    });
    assert.deepEqual(missing, []);
  });

  it("names no registry", () => {
    assert.doesNotMatch(text, /"resolved": "https?:/);
  });
});

describe("The error table", () => {
  const thrown = new Set(
    sources.filter((path) => !isTest(path) && !path.startsWith("src/errors/codes")).flatMap((
      path,
    ) => [...read(path).matchAll(/"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)"/g)].map(([, code]) => code!)),
  );

  // What leaves to clients of channels and the console says no more than it must.
  const forClients = /^(REQUEST|WEB_ADMIN|CHANNEL|SERVICE)_/;

  it("has no code that nothing uses", () => {
    const unused = Object.keys(codes).filter((code) => code !== "INTERNAL" && !thrown.has(code));
    assert.deepEqual(unused, []);
  });

  it("has messages in sentence case without a full stop, and says how to fix what people can fix", () => {
    const wrong = Object.entries(codes).filter(([code, row]) =>
      /\.$/.test(row.message) || /^[a-z]/.test(row.message) ||
      (row.kind === "input" && !("advice" in row) && !forClients.test(code))
    ).map(([code]) => code);
    assert.deepEqual(wrong, []);
  });
});

describe("The documents", () => {
  const pages = files.filter((path) => path.endsWith(".md"));

  it("have no link that leads nowhere", () => {
    const broken = pages.flatMap((page) =>
      [...read(page).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)]
        .filter(([, target]) => !existsSync(resolve(root, dirname(page), target!)))
        .map(([, target]) => `${page} -> ${target}`)
    );
    assert.deepEqual(broken, []);
  });

  it("keep the README short", () => {
    assert.ok(read("README.md").split("\n").length <= 120, "README.md has more than 120 lines");
  });
});

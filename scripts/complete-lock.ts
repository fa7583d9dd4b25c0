// Adds to package-lock.json the packages of other platforms that npm left out because the registry
// it asked does not have them; `npm ci` refuses a lock file without them. Run it after every
// `npm install`. Prints what it added.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

interface LockedPackage {
  readonly version?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

const file = join(import.meta.dirname!, "../package-lock.json");
const lock: { packages: Record<string, LockedPackage> } = JSON.parse(readFileSync(file, "utf8"));

const systems = [
  ...["darwin", "linux", "win32", "freebsd", "openbsd", "netbsd", "sunos", "aix", "android"],
  "openharmony",
];
const processors = [
  ...["arm64", "x64", "ia32", "ppc64", "riscv64", "s390x", "loong64", "mips64el", "wasm32", "arm"],
];

for (const { optionalDependencies = {} } of Object.values(lock.packages)) {
  for (const [name, version] of Object.entries(optionalDependencies)) {
    const path = `node_modules/${name}`;
    const words = name.split(/[^a-z0-9]+/);
    const os = systems.filter((system) => words.includes(system));
    const cpu = processors.filter((processor) => words.includes(processor));
    // Without its system, npm would fetch the package everywhere: such a one must be there already.
    if (path in lock.packages || !/^\d/.test(version) || os.length + cpu.length === 0) continue;
    const libc = words.includes("musl")
      ? ["musl"]
      : words.some((word) => /^(gnu|glibc)/.test(word))
      ? ["glibc"]
      : [];
    lock.packages[path] = {
      version,
      ...(cpu.length > 0 ? { cpu } : {}),
      ...(libc.length > 0 ? { libc } : {}),
      optional: true,
      ...(os.length > 0 ? { os } : {}),
    };
    console.log(`added ${name}@${version}`);
  }
}

const sorted = Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
lock.packages = Object.fromEntries(sorted);
writeFileSync(file, JSON.stringify(lock, null, 2) + "\n");

import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

export interface ZeepTask {
  /** A file or a URL. */
  readonly wsdl: string;
  /** Instead of the WSDL's. */
  readonly address?: string;
  /** `{namespace}name`, with an address. */
  readonly binding?: string;
  readonly calls: readonly {
    readonly operation: string;
    readonly input: Readonly<Record<string, unknown>>;
  }[];
  readonly username?: {
    readonly name: string;
    readonly password: string;
    readonly digest: boolean;
  };
  /** Files. */
  readonly signature?: {
    readonly key: string;
    readonly certificate: string;
    readonly sha256?: boolean;
    readonly timestamp?: boolean;
  };
}

export interface ZeepOutcome {
  readonly answer?: unknown;
  readonly code?: string;
  readonly message?: string;
}

/** Calls with Python's zeep, as Debian has it. */
export async function callWithZeep(task: ZeepTask): Promise<readonly ZeepOutcome[]> {
  const script = fileURLToPath(import.meta.resolve("./zeep_client.py"));
  const child = spawn("/usr/bin/python3", [script], { stdio: ["pipe", "pipe", "pipe"] });
  let out = "";
  let errors = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => out += text);
  child.stderr.setEncoding("utf8").on("data", (text: string) => errors += text);
  child.stdin.end(JSON.stringify(task));
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`zeep failed: ${errors}`);
  return out.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
}

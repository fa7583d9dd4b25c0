import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { type Client, createClientAsync } from "soap";

/** A call as a toolkit's user writes it. */
export interface ToolkitCall {
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
}

/** What came of it: an answer or a fault. */
export interface ToolkitOutcome {
  readonly answer?: unknown;
  readonly code?: string;
  readonly message?: string;
  readonly detail?: Readonly<Record<string, unknown>>;
}

export interface ToolkitTarget {
  /** Of the WSDL. */
  readonly url: string;
  readonly version: "1.1" | "1.2";
  readonly style: "document" | "rpc";
}

/** Calls one after the other, with nothing but the WSDL to go by. */
export type Toolkit = (
  target: ToolkitTarget,
  calls: readonly ToolkitCall[],
) => Promise<readonly ToolkitOutcome[]>;

/** Python's zeep, as Debian has it. */
export const zeep: Toolkit = ({ url }, calls) =>
  run("/usr/bin/python3", [file("./client.py"), url], calls);

/** PHP's SoapClient. */
export const php: Toolkit = ({ url, version, style }, calls) =>
  run("php", [file("./client.php"), url, version, style], calls);

/** The soap package of npm. */
export const nodeSoap: Toolkit = async ({ url, version }, calls) => {
  const client = await createClientAsync(url, { forceSoap12Headers: version === "1.2" });
  const outcomes: ToolkitOutcome[] = [];
  for (const call of calls) outcomes.push(await callOnce(client, call));
  return outcomes;
};

interface NodeSoapFault {
  readonly root?: { readonly Envelope?: { readonly Body?: { readonly Fault?: Fault } } };
}

/** A fault of either version. */
interface Fault {
  readonly faultcode?: string;
  readonly faultstring?: string;
  readonly detail?: { readonly Problem?: Readonly<Record<string, unknown>> };
  readonly Code?: { readonly Value?: string };
  readonly Reason?: { readonly Text?: { readonly $value?: string } };
  readonly Detail?: { readonly Problem?: Readonly<Record<string, unknown>> };
}

async function callOnce(
  client: Client,
  { operation, input }: ToolkitCall,
): Promise<ToolkitOutcome> {
  try {
    const call: (input: unknown) => Promise<readonly unknown[]> = client[`${operation}Async`];
    const [answer] = await call(input);
    return { answer };
  } catch (error) {
    const fault = (error as NodeSoapFault).root?.Envelope?.Body?.Fault; // node-soap's own shape
    if (fault === undefined) throw error;
    return {
      code: fault.faultcode ?? fault.Code?.Value ?? "",
      message: fault.faultstring ?? fault.Reason?.Text?.$value ?? "",
      detail: (fault.detail ?? fault.Detail)?.Problem ?? {},
    };
  }
}

function file(name: string): string {
  return fileURLToPath(import.meta.resolve(name));
}

async function run(
  program: string,
  parameters: readonly string[],
  calls: readonly ToolkitCall[],
): Promise<readonly ToolkitOutcome[]> {
  const child = spawn(program, parameters);
  let out = "";
  let log = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => out += text);
  child.stderr.setEncoding("utf8").on("data", (text: string) => log += text);
  const closed = new Promise<number | null>((resolve, reject) => {
    child.once("error", (cause) => reject(new Error(`${program} does not start`, { cause })));
    child.once("close", resolve);
  });
  child.stdin.end(JSON.stringify(calls));
  const code = await closed;
  if (code !== 0) throw new Error(`${program} ended with ${code}: ${log}${out}`);
  return out.trim().split("\n").map((line): ToolkitOutcome => JSON.parse(line));
}

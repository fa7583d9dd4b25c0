import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { channel, object } from "../test/integration/data-plane/worker-process.ts";
import { type Order, orderOf } from "./orders.ts";
import { apiKey, keyObject, startWorker, targetOf } from "./targets.ts";
import { measureInTurns, printTurns } from "./turns.ts";

const services = join(dirname(fileURLToPath(import.meta.url)), "services.ts");

/** What each feature of a channel costs, and the same order as JSON, XML and SOAP. */
export async function benchFeatures({ rounds = 5, seconds = 2 } = {}): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "dragoman-bench-"));
  const echo = (path: string, more: Readonly<Record<string, unknown>>) =>
    channel(path, "bench.echo", more);
  const worker = await startWorker(services, [
    await keyObject(),
    object("RateLimit", "wide", { requests: 1_000_000, scope: "worker", by: "channel" }),
    echo("/plain", {}),
    echo("/keyed", { security: ["bench"] }),
    echo("/audit", { audit: true }),
    echo("/limited", { rateLimits: ["wide"] }),
    echo("/cors", { cors: { origins: ["https://shop.example.com"] } }),
    echo("/compress", { compress: true }),
    echo("/xml", { formats: ["xml"], output: ["xml"] }),
    object("SoapChannel", "soap", { path: "/soap", service: "bench.echo", security: "none" }),
  ], { logLevel: "info" });
  const order = orderOf(1_000);
  const write = async (name: string, text: string) => {
    const file = join(directory, name);
    await writeFile(file, text);
    return `@${file}`;
  };
  const json = await write("order.json", JSON.stringify(order));
  const at = (name: string, path: string) => ({ ...targetOf(worker, name, path), body: json });
  try {
    const loads = await measureInTurns([
      at("JSON of 1 KB", "/plain"),
      { ...at("with an API key", "/keyed"), apiKey },
      at("with an audit line", "/audit"),
      at("with a rate limit (worker)", "/limited"),
      { ...at("with CORS", "/cors"), headers: ["Origin: https://shop.example.com"] },
      { ...at("with gzip", "/compress"), headers: ["Accept-Encoding: gzip"] },
      {
        ...at("as XML", "/xml"),
        contentType: "application/xml",
        body: await write("order.xml", xmlOf(order, "input")),
      },
      {
        ...at("as SOAP 1.1", "/soap"),
        contentType: "text/xml; charset=utf-8",
        body: await write("order.soap", soapOf(order)),
      },
    ], { rounds, seconds });
    printTurns(loads, { title: "Features, each on a channel of its own", base: "JSON of 1 KB" });
  } finally {
    await worker[Symbol.asyncDispose]();
    await rm(directory, { recursive: true });
  }
}

/** The order as the fields of `name`. */
function xmlOf(order: Order, name: string): string {
  const items = order.items.map(({ sku, name: title, quantity, price, tags }) =>
    `<items><sku>${sku}</sku><name>${title}</name><quantity>${quantity}</quantity>` +
    `<price>${price}</price>${tags.map((tag) => `<tags>${tag}</tags>`).join("")}</items>`
  );
  const { id, customer } = order;
  return `<${name}><id>${id}</id><customer>${customer}</customer>${items.join("")}</${name}>`;
}

function soapOf(order: Order): string {
  const body = xmlOf(order, "BenchEcho").replace(
    "<BenchEcho>",
    '<BenchEcho xmlns="urn:dragoman:soap">',
  );
  return '<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/">' +
    `<s:Body>${body}</s:Body></s:Envelope>`;
}

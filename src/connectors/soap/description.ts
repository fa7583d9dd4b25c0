import { PlatformError } from "../../errors/platform-error.ts";
import { admit } from "../../http/admit.ts";
import type { Exchange } from "../../http/exchange.ts";
import type { HttpEndpoint } from "../../http/route.ts";
import { escapeText } from "../../xml/escape.ts";
import type { SoapOperation } from "./operation.ts";
import { renderWsdl, type WsdlOptions } from "./wsdl.ts";

/** Addresses for which a WSDL is remembered; clients choose their own `Host`. */
const addressesMax = 16;

/** What people and toolkits read of a channel: a WSDL at ?wsdl, else a page that leads to it. */
export class DescriptionEndpoint implements HttpEndpoint {
  readonly #options: Omit<WsdlOptions, "address">;
  readonly #wsdls = new Map<string, string>();

  constructor(options: Omit<WsdlOptions, "address">) {
    this.#options = options;
  }

  async answer(exchange: Exchange): Promise<Response> {
    const admitting = admit(exchange, exchange.route!); // endpoints are reached by a route
    if (admitting !== undefined) await admitting;
    const address = exchange.origin + exchange.path;
    const { cid, queryText, tools } = exchange;
    if (/^wsdl(=|&|$)/i.test(queryText)) {
      return tools.answers.text(this.#wsdl(address), { type: "text/xml; charset=utf-8", cid });
    }
    if (queryText !== "") {
      const reason = "A SOAP channel takes POST; its WSDL is at ?wsdl";
      throw new PlatformError("REQUEST_MALFORMED", { reason });
    }
    const type = "text/html; charset=utf-8";
    const page = tools.answers.text(renderPage(this.#options), { type, cid });
    page.headers.set("Content-Security-Policy", "default-src 'none'");
    return page;
  }

  #wsdl(address: string): string {
    const known = this.#wsdls.get(address);
    if (known !== undefined) return known;
    const made = renderWsdl({ ...this.#options, address });
    if (this.#wsdls.size >= addressesMax) this.#wsdls.clear();
    this.#wsdls.set(address, made);
    return made;
  }
}

function renderPage(
  { name, description, operations, versions }: Omit<WsdlOptions, "address">,
): string {
  const title = escapeText(name);
  const about = description === undefined ? "" : `<p>${escapeText(description)}</p>`;
  const taken = versions.map((one) => `SOAP ${one.name}`).join(" and ");
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>${title}</title>` +
    `<h1>${title}</h1>${about}<p>Takes ${taken} by POST. <a href="?wsdl">WSDL</a></p>` +
    `<ul>${operations.map(renderOperation).join("")}</ul></html>\n`;
}

function renderOperation({ name, runnable }: SoapOperation): string {
  const { description } = runnable.service;
  const about = description === "" ? "" : `: ${escapeText(description)}`;
  return `<li><code>${escapeText(name)}</code>${about}</li>`;
}

import { PlatformError } from "../../errors/platform-error.ts";
import type { MediaType } from "../../formats/media-type.ts";
import { didYouMean } from "../../lib/nearest-name.ts";
import type { XmlElement } from "../../xml/element.ts";
import type { SoapOperation } from "./operation.ts";
import { soap11, type SoapVersion } from "../../soap/version.ts";

/** Finds the operation of a message. */
export class Dispatcher {
  readonly #namespace: string;
  readonly #byName: ReadonlyMap<string, SoapOperation>;
  readonly #byAction: ReadonlyMap<string, SoapOperation>;

  constructor(operations: readonly SoapOperation[], namespace: string) {
    this.#namespace = namespace;
    this.#byName = new Map(operations.map((one) => [one.name, one]));
    this.#byAction = new Map(operations.map((one) => [one.action, one]));
  }

  /**
   * By the element in the body; by the action where that is the name of no operation. An action
   * never chooses another operation than the body does, which whoever inspects actions on the way
   * would not see. Throws SOAP_OPERATION_UNKNOWN and SOAP_ACTION_MISMATCH.
   */
  find(content: XmlElement | undefined, action: string): SoapOperation {
    const byAction = action === "" ? undefined : this.#byAction.get(action);
    const byBody = content !== undefined && content.namespace === this.#namespace
      ? this.#byName.get(content.name)
      : undefined;
    const found = byBody ?? byAction;
    if (found === undefined) throw this.#unknown(content, action);
    if (byAction !== undefined && byAction !== found) {
      throw new PlatformError("SOAP_ACTION_MISMATCH", { action, operation: found.name });
    }
    return found;
  }

  #unknown(content: XmlElement | undefined, action: string): PlatformError {
    const operation = content === undefined
      ? action
      : content.namespace === ""
      ? content.name
      : `{${content.namespace}}${content.name}`;
    return new PlatformError("SOAP_OPERATION_UNKNOWN", {
      operation: operation.slice(0, 200),
      hint: this.#hint(content),
    });
  }

  #hint(content: XmlElement | undefined): string {
    if (content === undefined) return "";
    if (this.#byName.has(content.name)) return `, did you mean the namespace "${this.#namespace}"?`;
    return didYouMean(content.name, this.#byName.keys());
  }
}

/** What a request says that it wants; empty when it says nothing. */
export function actionOf(version: SoapVersion, headers: Headers, type: MediaType): string {
  // Clients of one version send the other one's as well: the first that says something counts.
  const own = headers.get("soapaction");
  const parameter = type.parameters.get("action");
  const text = (version === soap11 ? own ?? parameter : parameter ?? own) ?? "";
  const trimmed = text.trim();
  return trimmed.length > 1 && trimmed.startsWith('"') && trimmed.endsWith('"')
    ? trimmed.slice(1, -1)
    : trimmed;
}

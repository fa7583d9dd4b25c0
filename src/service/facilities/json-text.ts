import { PlatformError, reasonOf } from "../../errors/platform-error.ts";

/** A value as JSON; throws VALUE_NOT_JSON, which calls the value `what`. */
export function toJsonText(value: unknown, what: string): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (error) {
    throw new PlatformError("VALUE_NOT_JSON", { what, reason: reasonOf(error) }, { cause: error });
  }
  if (text !== undefined) return text;
  throw new PlatformError("VALUE_NOT_JSON", { what, reason: `It is of type ${typeof value}` });
}

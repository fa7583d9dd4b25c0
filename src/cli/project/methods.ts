import { restMethods } from "../../connectors/rest/index.ts";
import { PlatformError } from "../../errors/platform-error.ts";

/** Methods as people write them; GET and POST for none. Throws CLI_USAGE. */
export function parseMethods(given: readonly string[]): readonly string[] {
  if (given.length === 0) return ["GET", "POST"];
  const words = given.flatMap((text) => text.toUpperCase().split(","));
  const known: readonly string[] = restMethods;
  const wrong = words.find((word) => !known.includes(word));
  if (wrong !== undefined) {
    const reason = `"${wrong}" is no method; known are ${restMethods.join(", ")}`;
    throw new PlatformError("CLI_USAGE", { reason, command: "new service" });
  }
  return [...new Set(words)];
}

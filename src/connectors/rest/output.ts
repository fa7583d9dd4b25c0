import { PlatformError } from "../../errors/platform-error.ts";
import type { FormatName } from "../../formats/format.ts";
import { negotiate } from "../../formats/media-type.ts";
import { formats } from "../../formats/registry.ts";
import type { OutputEncoding } from "../../http/answers.ts";
import type { Schema } from "../../service/schema.ts";

/** How the answers of one channel are written. */
export interface OutputChoice {
  /** Whether `Accept` decides, so that caches keep the answers apart. */
  readonly varies: boolean;
  /** Throws REQUEST_NOT_ACCEPTABLE. */
  choose(headers: Headers): OutputEncoding;
}

/** Undefined for JSON alone, which needs no choice. */
export function compileOutput(
  output: FormatName | readonly FormatName[],
  schema: Schema | undefined,
): OutputChoice | undefined {
  const names = typeof output === "string" ? [output] : output;
  if (names.length === 1 && names[0] === "json") return undefined;
  const encodings = names.map((name): OutputEncoding => {
    const { contentType, writer } = formats[name];
    return { name, contentType, write: writer(schema) };
  });
  const [first] = encodings;
  if (encodings.length === 1) return { varies: false, choose: () => first! };
  const essences = encodings.map(({ contentType }) => contentType.split(";")[0]!);
  return {
    varies: true,
    choose(headers) {
      const place = negotiate(headers.get("accept"), essences);
      if (place >= 0) return encodings[place]!;
      throw new PlatformError("REQUEST_NOT_ACCEPTABLE", { types: essences.join(", ") });
    },
  };
}

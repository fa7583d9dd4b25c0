import { isPlatformError } from "../../errors/platform-error.ts";
import { UnwritableError } from "../../formats/format.ts";

/** What `write` throws of a value, seen from one level further out. */
export function at<T>(key: string, write: () => T): T {
  try {
    return write();
  } catch (error) {
    const pointer = `/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
    if (error instanceof UnwritableError) {
      throw new UnwritableError(pointer + error.pointer, error.message);
    }
    if (isPlatformError(error, "XML_UNWRITABLE")) throw new UnwritableError(pointer, error.message);
    throw error;
  }
}

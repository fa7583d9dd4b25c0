import { binaryFormat } from "./binary.ts";
import { csvFormat } from "./csv.ts";
import { formFormat } from "./form.ts";
import type { Format, FormatName } from "./format.ts";
import { jsonFormat } from "./json.ts";
import { textFormat } from "./text.ts";
import { xmlFormat } from "./xml.ts";

/** Every format there is, by name. */
export const formats: Readonly<Record<FormatName, Format>> = {
  json: jsonFormat,
  xml: xmlFormat,
  form: formFormat,
  csv: csvFormat,
  text: textFormat,
  binary: binaryFormat,
};

import { isPlatformError, PlatformError } from "../errors/platform-error.ts";
import { parseXml } from "../xml/parse.ts";
import { xmlDeclaration } from "../xml/render.ts";
import type { Schema } from "../service/schema.ts";
import { type Format, type FormatReader, type FormatWriter, UnwritableError } from "./format.ts";
import { compileXmlReader } from "./xml-reader.ts";
import { xmlValueOf } from "./xml-shape.ts";
import { compileXmlWriter } from "./xml-writer.ts";

/** The element around an output whose schema says no `xml.name`. */
const rootName = "response";

/**
 * XML: the fields of an input are the elements in the root, whatever the root's name. How fields
 * become elements and attributes is said by `XmlMeta`.
 */
export const xmlFormat: Format = {
  name: "xml",
  contentType: "application/xml; charset=utf-8",
  takes: (essence) =>
    essence === "application/xml" || essence === "text/xml" || essence.endsWith("+xml"),
  reader,
  writer,
};

function reader(schema: Schema | undefined): FormatReader {
  const read = compileXmlReader(xmlValueOf(schema, "input"));
  return (bytes, { parameters }) => read(parseBody(bytes, parameters.get("charset")));
}

function parseBody(bytes: Uint8Array, charset: string | undefined) {
  try {
    return parseXml(bytes, { charset });
  } catch (error) {
    if (!isPlatformError(error)) throw error;
    const code = isPlatformError(error, "XML_ENCODING") && charset !== undefined
      ? "REQUEST_CONTENT_TYPE"
      : "REQUEST_MALFORMED";
    throw new PlatformError(code, { reason: error.message }, { cause: error });
  }
}

function writer(schema: Schema | undefined): FormatWriter {
  const value = xmlValueOf(schema, "output");
  const write = compileXmlWriter(value);
  const { name = rootName, namespace } = value.xml;
  const head = namespace === undefined ? "" : ` xmlns="${namespace}"`;
  return (output) => {
    try {
      return xmlDeclaration + write(name, output, head);
    } catch (error) {
      if (!isPlatformError(error, "XML_UNWRITABLE")) throw error;
      throw new UnwritableError("", error.message);
    }
  };
}

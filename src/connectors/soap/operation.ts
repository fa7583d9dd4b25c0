import type { Schema } from "../../service/schema.ts";
import type { RunnableService } from "../../service/call.ts";
import type { Service } from "../../service/define-service.ts";
import type { XmlElement } from "../../xml/element.ts";
import { escapeAttribute } from "../../xml/escape.ts";
import { compileXmlReader, readPlain } from "../../formats/xml-reader.ts";
import {
  type ObjectShape,
  wrapList,
  type XmlDirection,
  type XmlField,
  type XmlValue,
  xmlValueOf,
} from "../../formats/xml-shape.ts";
import { compileXmlWriter } from "../../formats/xml-writer.ts";

export type SoapStyle = "document" | "rpc";

/** One operation of a channel, ready to be called. */
export interface SoapOperation extends SoapMessages {
  readonly runnable: RunnableService;
}

/** How the messages of an operation look. */
export interface SoapMessages {
  readonly name: string;
  readonly action: string;
  /** Name of the answer's element. */
  readonly answer: string;
  /** The fields of the request's element. */
  readonly input: ObjectShape;
  /** The fields of the answer's element. */
  readonly output: ObjectShape;
  /** The service's input out of the element in the body; undefined for an empty body. */
  read(content: XmlElement | undefined): unknown;
  /** The element in the body of the answer. */
  write(output: unknown): string;
}

export interface OperationOptions {
  readonly name: string;
  readonly action: string;
  /** Name of the answer's element; default: the operation's and `Response`. */
  readonly answer?: string | undefined;
  readonly style: SoapStyle;
  readonly namespace: string;
}

/** The element for an input that is no object, such as a list. */
const inputName = "input";
/** The element for an output that is no object, or whose schema nobody wrote. */
const outputName = "result";

/** Walks the service's schemas, once. */
export function compileMessages(
  service: Service,
  { name, action, style, namespace, answer = `${name}Response` }: OperationOptions,
): SoapMessages {
  const input = messageOf(service.input, { direction: "input", style });
  const output = messageOf(service.output, { direction: "output", style });
  const readFields = compileXmlReader(input.value);
  const writeFields = compileXmlWriter(output.value);
  const uri = escapeAttribute(namespace);
  // In rpc, only the element around the parts has the namespace.
  const [element, head] = style === "rpc"
    ? [`tns:${answer}`, ` xmlns:tns="${uri}"`]
    : [answer, ` xmlns="${uri}"`];
  return {
    name,
    action,
    answer,
    input: input.shape,
    output: output.shape,
    read(content) {
      if (service.input === undefined) return content && readUnguided(content);
      const fields = content === undefined ? {} : readFields(content);
      return input.wrapper === undefined ? fields : memberOf(fields, input.wrapper);
    },
    write(value) {
      const fields = output.wrapper === undefined ? value ?? {} : { [output.wrapper]: value };
      return writeFields(element, fields, head);
    },
  };
}

interface Message {
  readonly shape: ObjectShape;
  readonly value: XmlValue;
  /** The field that is the whole value, where the value is no object. */
  readonly wrapper: string | undefined;
}

interface MessageOptions {
  readonly direction: XmlDirection;
  readonly style: SoapStyle;
}

function messageOf(schema: Schema | undefined, { direction, style }: MessageOptions): Message {
  const value = xmlValueOf(schema, direction);
  const wrapper = direction === "input" ? inputName : outputName;
  const { shape } = value;
  if (shape.type === "object") {
    const fields = style === "rpc" ? shape.fields.map(partOf) : undefined;
    // A new object, so that reading the fields of the schema's own stays lazy.
    const own = fields === undefined ? shape : { ...shape, fields };
    return { shape: own, value: valueOf(own), wrapper: undefined };
  }
  const field: XmlField = { ...value, key: wrapper, name: wrapper, place: "element", itemName };
  const one = style === "rpc" ? partOf(field) : field;
  const { description } = value;
  const made: ObjectShape = {
    type: "object",
    id: undefined,
    description,
    fields: [one],
    unknown: "dropped",
  };
  return { shape: made, value: valueOf(made), wrapper };
}

const itemName = undefined;

function valueOf(shape: ObjectShape): XmlValue {
  const { description } = shape;
  return { shape, isOptional: false, isNullable: false, xml: {}, description };
}

/** A part of an rpc message is one element, neither an attribute nor repeated. */
function partOf(field: XmlField): XmlField {
  return wrapList({ ...field, place: "element" });
}

function readUnguided(content: XmlElement): unknown {
  const value = readPlain(content);
  return value === "" ? {} : value;
}

/** Text where the wrapper should be is left to validation. */
function memberOf(fields: unknown, name: string): unknown {
  return typeof fields === "object" && fields !== null
    ? fields[name as keyof typeof fields] // a reader of objects makes plain ones
    : fields;
}

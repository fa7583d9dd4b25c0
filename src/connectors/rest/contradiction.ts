import { parsePathTemplate } from "../../http/path-template.ts";

interface Finding {
  readonly path: string[];
  readonly message: string;
}

/** The fields of a channel that bear on one another. */
interface ChannelFields {
  readonly path: string;
  readonly service?: string | undefined;
  readonly files?: { readonly directory?: string | undefined } | undefined;
  readonly merge: boolean;
  readonly bodyField?: string | undefined;
}

/** What a channel's fields say against one another; undefined when nothing. */
export function contradiction(spec: ChannelFields): Finding | undefined {
  const { service, files, path } = spec;
  if ((service === undefined) === (files === undefined)) {
    return finding("service", "Say service or files, one of both");
  }
  if (!spec.merge && spec.bodyField !== undefined) {
    return finding("bodyField", 'With merge: false the body has a field already, "body"');
  }
  const template = parsePathTemplate(path);
  if (files === undefined || typeof template === "string") return undefined;
  if (files.directory === undefined) {
    return template.isStatic ? undefined : finding("path", "The path of one file has no {name}");
  }
  return template.segments.at(-1)?.type === "wildcard"
    ? undefined
    : finding("path", "The path of a directory ends in {name*}");
}

function finding(field: string, message: string): Finding {
  return { path: [field], message };
}

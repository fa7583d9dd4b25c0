import { formats } from "../../formats/registry.ts";
import type { EndpointDescription } from "../../http/openapi/description.ts";
import type { Service } from "../../service/define-service.ts";
import { jsonSchemaOf } from "../../service/json-schema.ts";
import type { RestChannelSpec } from "./index.ts";

/** What documents say of a channel. */
export function describeChannel(spec: RestChannelSpec, service: Service): EndpointDescription {
  const { formats: taken, output, description } = spec;
  const answers = typeof output === "string" ? [output] : output;
  const typeOf = (name: keyof typeof formats) => formats[name].contentType.split(";")[0]!;
  return {
    summary: description ?? (service.description || service.name),
    input: jsonSchemaOf(service.input, "input"),
    output: jsonSchemaOf(service.output, "output"),
    requestTypes: taken.flatMap((name) =>
      name === "form" ? [typeOf(name), "multipart/form-data"] : [typeOf(name)]
    ),
    responseTypes: answers.map(typeOf),
  };
}

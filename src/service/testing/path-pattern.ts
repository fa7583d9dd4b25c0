/** Tells which paths a template such as `/customers/{id}` means; `{rest*}` is all the rest. */
export interface PathPattern {
  readonly template: string;
  /** Fewer are more specific. */
  readonly paramCount: number;
  /** Decoded values of the template's parts; undefined for another path. */
  match(path: string): Readonly<Record<string, string>> | undefined;
}

const part = /\{(\w+)(\*?)\}/g;

export function parsePathPattern(template: string): PathPattern {
  const names = [...template.matchAll(part)].map(([, name]) => name!);
  const source = template.split(part).map((text, index) => {
    // split() puts the groups between the texts: text, name, star, text, ...
    if (index % 3 === 0) return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    if (index % 3 === 1) return "";
    return text === "*" ? "(.+)" : "([^/]+)";
  }).join("");
  const pattern = new RegExp(`^${source}$`);
  return {
    template,
    paramCount: names.length,
    match(path) {
      const found = pattern.exec(path);
      if (found === null) return undefined;
      return Object.fromEntries(names.map((name, i) => [name, decodeURIComponent(found[i + 1]!)]));
    },
  };
}

/** Puts values into a template, percent-encoded; throws a RangeError for one that is missing. */
export function fillPath(
  template: string,
  params: Readonly<Record<string, string | number | boolean>>,
): string {
  return template.replace(part, (_, name: string) => {
    if (Object.hasOwn(params, name)) return encodeURIComponent(params[name]!);
    throw new RangeError(`The path has {${name}}, and params does not`);
  });
}

// Shows the OpenAPI document of this server and sends requests from it. Plain JavaScript: it is
// served as it is.

const $ = (selector) => document.querySelector(selector);

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

let api;
const credentials = new Map();

/** Follows "#/components/..." references; recursive schemas end at some depth. */
function resolve(schema) {
  const reference = schema?.$ref;
  if (reference === undefined) return schema ?? {};
  return reference.slice(2).split("/").reduce((value, key) => value?.[key], api) ?? {};
}

function exampleOf(unresolved, depth = 0) {
  const schema = resolve(unresolved);
  if (depth > 6) return null;
  if (schema.examples?.length > 0) return schema.examples[0];
  if (schema.example !== undefined) return schema.example;
  if (schema.default !== undefined) return schema.default;
  if (schema.const !== undefined) return schema.const;
  if (schema.enum !== undefined) return schema.enum[0];
  const option = schema.anyOf?.[0] ?? schema.oneOf?.[0];
  if (option !== undefined) return exampleOf(option, depth + 1);
  if (schema.allOf !== undefined) {
    return Object.assign({}, ...schema.allOf.map((part) => exampleOf(part, depth + 1)));
  }
  switch (Array.isArray(schema.type) ? schema.type[0] : schema.type) {
    case "object":
      return Object.fromEntries(
        Object.entries(schema.properties ?? {}).map(([key, inner]) => [
          key,
          exampleOf(inner, depth + 1),
        ]),
      );
    case "array":
      return [exampleOf(schema.items, depth + 1)];
    case "integer":
    case "number":
      return schema.minimum > 0 ? schema.minimum : 0;
    case "boolean":
      return false;
    case "null":
      return null;
    case "string":
      return "";
    default:
      return {};
  }
}

function field(name, { required, description, type = "text" }) {
  const input = element("input", { name, type, required, autocomplete: "off" });
  const label = element("label", {}, element("span", {}, required ? `${name} *` : name), input);
  if (description) label.append(element("small", {}, description));
  return { input, label };
}

function showCredentials(schemes) {
  const section = $("#credentials");
  for (const [name, scheme] of Object.entries(schemes)) {
    section.hidden = false;
    const isBasic = scheme.type === "http" && scheme.scheme === "basic";
    const parts = isBasic
      ? ["user name", "password"]
      : [scheme.name === undefined ? `${name} token` : `${scheme.name} (${scheme.in})`];
    const inputs = parts.map((part) => {
      const type = part === "user name" ? "text" : "password";
      const { input, label } = field(part, { type });
      section.append(label);
      return input;
    });
    credentials.set(name, () => inputs.map((input) => input.value));
  }
}

/** Puts what was entered for one of the operation's schemes into the request. */
function authorize(operation, { headers, query }) {
  for (const name of operation.security.flatMap((one) => Object.keys(one))) {
    const scheme = api.components.securitySchemes[name];
    const [first = "", second = ""] = credentials.get(name)?.() ?? [];
    if (scheme === undefined || first === "") continue;
    if (scheme.type === "apiKey" && scheme.in === "query") query.set(scheme.name, first);
    else if (scheme.type === "apiKey") headers.set(scheme.name, first);
    else if (scheme.scheme === "basic") {
      const bytes = new TextEncoder().encode(`${first}:${second}`);
      headers.set("Authorization", `Basic ${btoa(String.fromCharCode(...bytes))}`);
    } else headers.set("Authorization", `Bearer ${first}`);
    return;
  }
}

function requestOf({ path, method, operation }, form) {
  const values = new FormData(form);
  const headers = new Headers();
  const query = new URLSearchParams();
  let target = path;
  for (const parameter of operation.parameters ?? []) {
    const value = values.get(`${parameter.in}:${parameter.name}`) ?? "";
    if (parameter.in === "path") {
      target = target.replace(`{${parameter.name}}`, encodeURIComponent(value));
    } else if (value !== "" && parameter.in === "header") headers.set(parameter.name, value);
    else if (value !== "") query.append(parameter.name, value);
  }
  authorize(operation, { headers, query });
  const type = Object.keys(operation.requestBody?.content ?? {})[0];
  const body = type === undefined ? undefined : values.get("body");
  if (body) headers.set("Content-Type", type);
  const search = query.size === 0 ? "" : `?${query}`;
  return { url: target + search, options: { method: method.toUpperCase(), headers, body } };
}

function curlOf({ url, options }) {
  const quote = (text) => `'${text.replaceAll("'", `'\\''`)}'`;
  const headers = [...options.headers].map(([name, value]) => {
    // What was typed into the page stays there: the command shows where it belongs.
    const isSecret = !/^content-type$/i.test(name);
    return ` -H ${quote(`${name}: ${isSecret ? "…" : value}`)}`;
  }).join("");
  const body = options.body ? ` -d ${quote(options.body)}` : "";
  const secretless = new URL(url, location.origin);
  for (const scheme of Object.values(api.components.securitySchemes)) {
    if (scheme.in === "query" && secretless.searchParams.has(scheme.name)) {
      secretless.searchParams.set(scheme.name, "…");
    }
  }
  return `curl -X ${options.method} ${quote(secretless.href)}${headers}${body}`;
}

async function send(entry, form, output) {
  const request = requestOf(entry, form);
  const startedAt = performance.now();
  let head;
  let text;
  let isBad = true;
  try {
    const answer = await fetch(request.url, {
      ...request.options,
      body: request.options.body || undefined,
    });
    isBad = !answer.ok;
    text = await answer.text();
    const duration = Math.round(performance.now() - startedAt);
    const type = answer.headers.get("content-type") ?? "no body";
    const cid = answer.headers.get("x-dragoman-cid") ?? "";
    head = `${answer.status} · ${duration} ms · ${type} · cid ${cid}`;
    if (/json/.test(type)) text = JSON.stringify(JSON.parse(text), null, 2);
  } catch (error) {
    head = "No answer";
    text = String(error);
  }
  output.replaceChildren(
    element("pre", {}, curlOf(request)),
    element("strong", { class: isBad ? "bad" : "good", role: "status" }, head),
    element("pre", {}, text),
  );
}

function formOf(entry) {
  const { operation } = entry;
  const form = element("form");
  for (const parameter of operation.parameters ?? []) {
    const schema = resolve(parameter.schema);
    const words = [schema.description, schema.format ?? schema.type, schema.enum?.join(" | ")];
    const { label } = field(parameter.name, {
      required: parameter.required,
      description: words.filter(Boolean).join(" · "),
    });
    label.querySelector("input").name = `${parameter.in}:${parameter.name}`;
    form.append(label);
  }
  const [type, content] = Object.entries(operation.requestBody?.content ?? {})[0] ?? [];
  if (type !== undefined) {
    const body = element("textarea", { name: "body", "aria-label": `Body, ${type}` });
    body.value = /json/.test(type) ? JSON.stringify(exampleOf(content.schema), null, 2) : "";
    form.append(element("small", {}, type), body);
  }
  const output = element("div");
  form.append(element("button", { type: "submit" }, "Send"), output);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void send(entry, form, output);
  });
  return form;
}

function show(entries, filter) {
  const shown = entries.filter(({ text }) => text.includes(filter.toLowerCase()));
  $("#operations").replaceChildren(
    element("h2", {}, `${shown.length} of ${entries.length} operations`),
    ...shown.slice(0, 200).map((entry) => entry.details),
    ...(shown.length > 200 ? [element("p", {}, "Filter to see the others.")] : []),
  );
}

function entryOf(path, method, operation) {
  const details = element(
    "details",
    {},
    element(
      "summary",
      {},
      element("span", { class: "method" }, method.toUpperCase()),
      element("code", {}, path),
      element("span", {}, operation.summary || operation.tags.join(", ")),
    ),
  );
  const entry = { path, method, operation, details };
  entry.text = `${method} ${path} ${operation.operationId} ${operation.summary}`.toLowerCase();
  details.addEventListener("toggle", () => {
    if (details.open && details.querySelector("form") === null) details.append(formOf(entry));
  });
  return entry;
}

async function start() {
  const answer = await fetch("openapi.json");
  if (!answer.ok) throw new Error(`openapi.json: ${answer.status}`);
  api = await answer.json();
  $("#title").textContent = api.info.title;
  document.title = api.info.title;
  showCredentials(api.components.securitySchemes ?? {});
  const entries = Object.entries(api.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => entryOf(path, method, operation))
  );
  show(entries, "");
  $("#filter").addEventListener("input", (event) => show(entries, event.target.value));
}

start().catch((error) => {
  $("#operations").replaceChildren(element("p", { class: "bad" }, String(error)));
});

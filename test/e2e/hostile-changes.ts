import { randomBytes } from "node:crypto";

/** A secret. */
export const random = () => randomBytes(24).toString("hex");

/** An open REST channel. */
export const rest = (name: string, spec: Record<string, unknown>) => ({
  apiVersion: "dragoman/v1",
  kind: "RestChannel",
  name,
  spec: { security: "none", methods: ["GET", "POST"], ...spec },
});
/** An object as it is applied. */
export const document = (kind: string, name: unknown, spec: unknown = {}) => ({
  apiVersion: "dragoman/v1",
  kind,
  name,
  spec,
});
/** Lists, or whatever `wrap` makes, in one another. */
export function deep(
  levels: number,
  wrap: (inner: unknown) => unknown = (inner) => [inner],
): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level++) value = wrap(value);
  return value;
}

/** Names that no object can have. */
export const badNames: readonly unknown[] = [
  "__proto__",
  "",
  " ",
  ".",
  "..",
  "../x",
  "/x",
  "-x",
  "a b",
  " a",
  "a ",
  "a\0",
  "a\n",
  "a\r\nX: y",
  "a%2f",
  "a?b",
  "a#b",
  "a\\b",
  "a:b",
  "a*",
  "<script>",
  "'; drop table object; --",
  "${env:HOME}",
  "é",
  "\u{1f600}",
  "\u202ea",
  "a\ufeff",
  "x".repeat(201),
  "x".repeat(1_000_000),
  null,
  7,
  true,
  [],
  ["a"],
  {},
  { toString: "a" },
];
/** Names that objects can have, though they mean something to a program. */
export const oddNames = [
  "constructor",
  "toString",
  "hasOwnProperty",
  "valueOf",
  "a/../b",
  "a//b",
  "0",
  "NONE",
  "null",
  "a.",
  "a/.",
];
/** An object with this spec. */
export const asSpec = (spec: unknown) => document("UserConfig", "hostile", spec);
const value = (text: string) => JSON.parse(text);

/** What cannot be applied. */
export const badDocuments: Readonly<Record<string, unknown>> = {
  "null": null,
  "a number": 7,
  "a text": "x",
  "a list": [],
  "nothing in it": {},
  "no kind": { apiVersion: "dragoman/v1", name: "a", spec: {} },
  "another version": { ...asSpec({}), apiVersion: "dragoman/v9" },
  "an unknown member": { ...asSpec({}), admin: true },
  "__proto__ beside the spec": value(
    '{"apiVersion":"dragoman/v1","kind":"UserConfig","name":"a","spec":{},"__proto__":{"a":1}}',
  ),
  "constructor in the spec": asSpec({ constructor: {} }),
  "the spec null": asSpec(null),
  "the spec a list": asSpec([]),
  "the spec a text": asSpec("values"),
  "lists that nest 201 times": asSpec({ values: { a: deep(201) } }),
  "lists that nest 5,000 times": asSpec({ values: { a: deep(5_000) } }),
  "lists that nest 100,000 times": asSpec({ values: { a: deep(100_000) } }),
  "objects that nest 100,000 times": asSpec({ values: deep(100_000, (a) => ({ a })) }),
  "a nesting kind": document(deep(100_000) as string, "a"),
  "a name of a value that is too long": asSpec({ values: { ["x".repeat(201)]: 1 } }),
  "an unknown kind": document("Unknown", "a"),
  "the kind __proto__": document("__proto__", "a"),
  "the kind constructor": document("constructor", "a"),
  "the kind toString": document("toString", "a"),
  "an empty kind": document("", "a"),
  "a kind that is a number": document(7 as unknown as string, "a"),
  "a kind in the wrong case": document("userconfig", "a"),
  "a service that there is not": rest("x", { path: "/h/x", service: "__proto__" }),
  "a service that is a prototype's": rest("x", { path: "/h/x", service: "hasOwnProperty" }),
  "security that there is not": rest("x", {
    path: "/h/x",
    service: "hostile.echo",
    security: ["__proto__"],
  }),
  "security named none among others": rest("x", {
    path: "/h/x",
    service: "hostile.echo",
    security: ["none"],
  }),
  "no security": rest("x", { path: "/h/x", service: "hostile.echo", security: [] }),
  "a path that is the platform's": rest("x", { path: "/dragoman/livez", service: "hostile.echo" }),
  "a path without a slash": rest("x", { path: "h", service: "hostile.echo" }),
  "a path with dots": rest("x", { path: "/a/../b", service: "hostile.echo" }),
  "a path with a query": rest("x", { path: "/a?b", service: "hostile.echo" }),
  "a path with a fragment": rest("x", { path: "/a#b", service: "hostile.echo" }),
  "a path with a NUL": rest("x", { path: "/a\0", service: "hostile.echo" }),
  "a parameter named __proto__": rest("x", { path: "/{__proto__}", service: "hostile.echo" }),
  "a parameter twice": rest("x", { path: "/{a}/{a}", service: "hostile.echo" }),
  "a path that is taken": rest("x", { path: "/h/echo", service: "hostile.echo" }),
  "a method that there is not": rest("x", {
    path: "/h/x",
    service: "hostile.echo",
    methods: ["BREW"],
  }),
  "a host with a slash": rest("x", { path: "/h/x", service: "hostile.echo", host: "a/b" }),
  "files that are not absolute": rest("x", { path: "/h/x/{p*}", files: { directory: "../" } }),
  "files that climb": rest("x", { path: "/h/x/{p*}", files: { directory: "/srv", index: "../x" } }),
  "a timeout of NaN": rest("x", { path: "/h/x", service: "hostile.echo", timeoutMs: null }),
  "a timeout without end": rest("x", { path: "/h/x", service: "hostile.echo", timeoutMs: 1e300 }),
  "a key that is too short": document("ApiKey", "short", { key: "a" }),
  "a token that nobody signs": document("Jwt", "none", { algorithms: ["none"], secret: random() }),
  "a rate of nothing": document("RateLimit", "x", { requests: 0 }),
  "a group in itself": document("SecurityGroup", "self", { members: ["self"] }),
};

/** Names that no file of services can have. */
export const sourceNames = [
  "",
  ".ts",
  "..ts",
  "../evil.ts",
  "/etc/evil.ts",
  "a/b.ts",
  "a\\b.ts",
  "a.ts\0",
  "a\0.ts",
  "a\n.ts",
  "a b.ts",
  "__proto__.ts",
  "-rf.ts",
  "a.txt",
  "a",
  "a.ts/",
  "a.d.ts",
  "é.ts",
  `${"a".repeat(300)}.ts`,
  "$(reboot).ts",
  "%2e%2e%2fa.ts",
];
/** The code of one service; `name` is code. */
export const define = (name: string) =>
  `const { defineService } = globalThis[Symbol.for("dragoman.module")];
   export const one = defineService({ name: ${name}, handle: () => 1 });`;
/** Code that must not become current. */
export const badCode: Readonly<Record<string, string>> = {
  "that is no code": "{{{{",
  "that is a NUL": "\0",
  "that exports nothing": "1",
  "that throws null": "throw null",
  "that throws a proxy":
    "throw new Proxy({}, { get() { throw 1; }, getPrototypeOf() { throw 2; } })",
  "that ends the process": "process.exit(0)",
  "that kills the process": 'process.kill(process.pid, "SIGKILL")',
  "that imports what there is not": 'import "nothing-that-exists"',
  "that imports from elsewhere": 'import "https://evil.example/x.js"',
  "that exports null": "export default null; export const a = null",
  "that exports what looks like a service": 'export const a = { name: "a", handle() {} }',
  "that exports a trap":
    "export const a = new Proxy({}, { get() { throw 1; }, has() { throw 2; }, getPrototypeOf() { throw 3; } })",
  "of a service named __proto__": define('"__proto__"'),
  "of a service without a name": define('""'),
  "of a service named by a symbol": define("Symbol()"),
  "of a service named by an object": define("{}"),
  "of a service named with a slash": define('"a/b"'),
  "of a service with a line break": define('"a\\nb"'),
  "of a service that another file has": define('"hostile.echo"'),
  "of a service twice": `${
    define('"twice"')
  }\nexport const two = defineService({ name: "twice", handle: () => 2 });`,
  "that fails to start": `const { defineService } = globalThis[Symbol.for("dragoman.module")];
    export const a = defineService({ name: "a", handle: 7 });`,
};

/** Addresses of the admin API at which there is nothing. */
export const paths: readonly string[] = [
  "/v1/objects/__proto__/a",
  "/v1/objects/constructor/a",
  "/v1/objects/UserConfig/__proto__",
  "/v1/objects/UserConfig/%00",
  "/v1/objects/UserConfig/%",
  "/v1/objects/UserConfig/%ff",
  "/v1/objects/UserConfig/..%2f..",
  "/v1/objects/UserConfig/a/ping",
  "/v1/objects?kind=__proto__",
  "/v1/objects?kind=",
  "/v1/deployments/__proto__",
  "/v1/deployments/..%2fx",
  "/v1/deployments/%00",
  "/v1/invocations/__proto__",
  "/v1/invocations/%00",
  "/v1/invocations?state=x",
  "/v1/invocations?limit=-1",
  "/v1/invocations?limit=NaN",
  "/v1/invocations?limit=1e9",
  "/v1/invocations?__proto__=1",
  "/v1/nothing",
  "/v1",
  "/",
  "/__proto__",
  "/v1/../v1/x",
];

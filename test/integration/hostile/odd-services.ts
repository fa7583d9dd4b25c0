/** What a service may do that nobody would expect, and what its client sees of it. */
export interface Oddity {
  readonly name: string;
  /** The body of an async `handle`, which is given `ctx`. */
  readonly body: string;
  readonly status: number;
}

function table(status: number, bodies: Readonly<Record<string, string>>): readonly Oddity[] {
  return Object.entries(bodies).map(([name, body]) => ({ name, body, status }));
}

const trap = `new Proxy({}, new Proxy({}, { get() { throw new Error("SECRET-trap"); } }))`;

/** What is thrown. */
const thrown = table(500, {
  "throws null": "throw null",
  "throws undefined": "throw undefined",
  "throws a text": 'throw "SECRET-text"',
  "throws an empty text": 'throw ""',
  "throws a number": "throw 42",
  "throws NaN": "throw NaN",
  "throws true": "throw true",
  "throws a symbol": 'throw Symbol("SECRET-symbol")',
  "throws a big integer": "throw 10n",
  "throws a function": "throw () => 1",
  "throws a promise": "throw Promise.resolve(1)",
  "throws a plain object": 'throw { message: "SECRET-object", status: 200 }',
  "throws an object without a prototype": "throw Object.create(null)",
  "throws an object that cannot be a text": "throw { toString() { throw 1; } }",
  "throws a list": "throw [1, 2]",
  "throws a date": "throw new Date(NaN)",
  "throws a response": 'throw new Response("SECRET-response", { status: 200 })',
  "throws an error without a message": "throw new Error()",
  "throws an error whose message is thrown":
    'throw Object.defineProperty(new Error("x"), "message", { get() { throw new Error("y"); } })',
  "throws an error whose message is an object":
    "throw Object.assign(new Error(), { message: { toString() { throw 1; } } })",
  "throws an error whose message is a symbol":
    "throw Object.assign(new Error(), { message: Symbol() })",
  "throws an error whose stack is thrown":
    'throw Object.defineProperty(new Error("x"), "stack", { get() { throw new Error("y"); } })',
  "throws an error whose stack is no text": "throw Object.assign(new Error(), { stack: 7 })",
  "throws an error whose code is thrown":
    'throw Object.defineProperty(new Error("x"), "code", { get() { throw new Error("y"); } })',
  "throws an error whose cause is thrown":
    'throw Object.defineProperty(new Error("x"), "cause", { get() { throw new Error("y"); } })',
  "throws an error that causes itself":
    'const error = new Error("SECRET-cycle"); error.cause = error; throw error',
  "throws an error with 10,000 causes":
    "let error = new Error(); for (let n = 0; n < 10_000; n++) error = new Error(`e${n}`, { cause: error }); throw error",
  "throws an error with a name that throws":
    'throw Object.defineProperty(new Error("x"), "name", { get() { throw new Error("y"); } })',
  "throws an error with a message of 10 MB": 'throw new Error("x".repeat(10_000_000))',
  "throws an aggregate of itself":
    "const error = new AggregateError([]); error.errors.push(error); throw error",
  "throws an aggregate without errors":
    "throw Object.assign(new AggregateError([]), { errors: 7 })",
  "throws a proxy": `throw ${trap}`,
  "throws a proxy of an error":
    'throw new Proxy(new Error("x"), { get() { throw 1; }, has() { throw 2; }, getPrototypeOf() { throw 3; } })',
  "throws a revoked proxy":
    'const { proxy, revoke } = Proxy.revocable(new Error("x"), {}); revoke(); throw proxy',
  "throws the reason of an abort": "throw AbortSignal.abort().reason",
  "throws a timeout of its own": 'throw new DOMException("SECRET-late", "TimeoutError")',
  "overflows the stack": "const deep = () => deep() + 1; return deep()",
  "asks for what does not exist": "return ctx.nothing.more",
  "asks for a list that is too long": "return new Array(-1)",
  "asks for memory that there is not": "return new ArrayBuffer(2 ** 52)",
  "changes its context": "ctx.input = 7; ctx.request = 8; return 1",
  "changes the request": "ctx.request.cid = 'x'; return 1",
  "asks for a connection that there is not": 'return ctx.out.rest("__proto__")',
  "asks for a cache that there is not": 'return await ctx.cache("constructor").get("x")',
  "asks for a configuration that there is not": 'return ctx.config("__proto__")',
  "invokes what there is not": 'return await ctx.invoke("__proto__", {})',
  "invokes nothing": "return await ctx.invoke(undefined, {})",
  "invokes a number": "return await ctx.invoke(7, {})",
  "invokes a plain object": 'return await ctx.invoke({ name: "nothing" }, {})',
  "invokes itself for ever": "return await ctx.invoke(SELF, {})",
  "invokes itself after a while, for ever":
    "await undefined; const more = await ctx.invoke(SELF, {}); return { more }",
  "invokes itself side by side":
    "const all = await ctx.parallel({ a: [SELF, {}] }, { stopOnError: true }); if (all.a.error) throw all.a.error; return all",
  "invokes itself with a limit": "return await ctx.invoke(SELF, {}, { timeoutMs: 5_000 })",
  "invokes later what nests too deep":
    'let a = 1; for (let n = 0; n < 100_000; n++) a = [a]; return await ctx.invokeAsync("fine", a)',
  "invokes later a function": 'return await ctx.invokeAsync("fine", () => 1)',
  "invokes later what goes in circles":
    'const a = {}; a.a = a; return await ctx.invokeAsync("fine", a)',
  "locks a name that is too long": 'return await ctx.lock("x".repeat(500), () => 1)',
  "locks without work": 'return await ctx.lock("x")',
  "keeps a function": 'return await ctx.cache().set("x", () => 1)',
  "keeps what goes in circles": 'const a = {}; a.a = a; return await ctx.cache().set("x", a)',
  "keeps for a negative time": 'return await ctx.cache().set("x", 1, { ttlMs: -1 })',
  "keeps for NaN": 'return await ctx.cache().set("x", 1, { ttlMs: NaN })',
  "keeps 10 MB": 'return await ctx.cache().set("x", "x".repeat(10_000_000))',
  "keeps what is never made": 'return await ctx.cache().getOrSet("y", () => { throw null; })',
  "sleeps for NaN and asks for nothing": "await ctx.time.delay?.(NaN); return ctx.nothing.more",
  "runs nothing in a thread": "return await ctx.runInThread(undefined, 1)",
  "runs a plain function in a thread": "return await ctx.runInThread(() => 1, 1)",
  "translates what there is not": 'return ctx.translate("__proto__", "a", { from: "b", to: "c" })',
  "retries without work": "return await ctx.retry(undefined, { attempts: 1 })",
  "locks nothing": "return await ctx.lock(undefined, undefined)",
  "sets a status that is too low": "ctx.response.status = 99; return 1",
  "sets a status that is too high": "ctx.response.status = 1000; return 1",
  "sets an informational status": "ctx.response.status = 101; return 1",
  "sets a text as status": 'ctx.response.status = "200 OK"; return 1',
  "sets NaN as status": "ctx.response.status = NaN; return 1",
  "sets a header with a line break":
    'ctx.response.headers.set("X-A", "a\\r\\nX-Evil: 1"); return 1',
  "sets a header without a name": 'ctx.response.headers.set("", "a"); return 1',
});

const brand = 'Symbol.for("dragoman.service-error")';

/** Answers that are made in odd ways. */
const refusals: readonly Oddity[] = [
  ...table(500, {
    "refuses with the status 200": 'throw new ServiceError(200, "x")',
    "refuses with no status": 'throw new ServiceError(undefined, "x")',
    "refuses with a status changed later":
      'throw Object.assign(new ServiceError(400, "x"), { status: 7 })',
    "refuses with a status changed to 200":
      'throw Object.assign(new ServiceError(400, "x"), { status: 200 })',
    "refuses with a forged mark": `throw Object.assign(new Error("x"), { [${brand}]: true })`,
    "refuses with a forged mark and status":
      `throw Object.assign(new Error("x"), { [${brand}]: true, status: "400" })`,
    "refuses with details that go in circles":
      'const details = {}; details.self = details; throw new ServiceError(400, "x", { details })',
    "refuses with a big integer in the details":
      'throw new ServiceError(400, "x", { details: { n: 1n } })',
    "refuses with details that throw":
      'throw new ServiceError(400, "x", { details: { get a() { throw new Error("y"); } } })',
    "refuses with details that are a trap":
      `throw new ServiceError(400, "x", { details: ${trap} })`,
    "refuses with a header that has a line break":
      'throw new ServiceError(400, "x", { headers: { "X-A": "a\\r\\nX-Evil: 1" } })',
    "refuses with a header that has no name":
      'throw new ServiceError(400, "x", { headers: { "": "a" } })',
    "refuses with headers that are no text":
      'throw new ServiceError(400, "x", { headers: { "X-A": Symbol() } })',
    "refuses with headers beyond Latin-1":
      'throw new ServiceError(400, "x", { headers: { "X-A": "\\u4e2d" } })',
  }),
  ...table(418, {
    "refuses with a length of its own":
      'throw new ServiceError(418, "x", { headers: { "Content-Length": "3" } })',
    "refuses with a transfer coding of its own":
      'throw new ServiceError(418, "x", { headers: { "Transfer-Encoding": "gzip" } })',
    "refuses with a connection of its own":
      'throw new ServiceError(418, "x", { headers: { Connection: "upgrade", Upgrade: "x" } })',
    "refuses with a cid of its own":
      'throw new ServiceError(418, "x", { headers: { "X-Dragoman-Cid": "forged" } })',
    "refuses with a type of its own":
      'throw new ServiceError(418, "x", { headers: { "Content-Type": "text/html" } })',
    "refuses with headers by a null prototype":
      'throw new ServiceError(418, "x", { headers: Object.create(null) })',
    "refuses with null for headers": 'throw new ServiceError(418, "x", { headers: null })',
    "refuses with details that are a function":
      'throw new ServiceError(418, "x", { details: () => 1 })',
    "refuses with line breaks in its message": 'throw new ServiceError(418, "a\\r\\nX-Evil: 1")',
    "refuses with an object for a message": "throw new ServiceError(418, { toString: () => 'x' })",
    "refuses with markup": 'throw new ServiceError(418, "<script>]]>&\\u0000")',
  }),
];

/** What is returned and cannot be sent. */
const unsendable = table(500, {
  "returns a function": "return () => 1",
  "returns a symbol": 'return Symbol("x")',
  "returns a big integer": "return 10n",
  "returns a big integer inside": "return { a: [10n] }",
  "returns what goes in circles": "const a = {}; a.a = a; return a",
  "returns a list in itself": "const a = []; a.push(a); return a",
  "returns a getter that throws": 'return { get a() { throw new Error("SECRET-getter"); } }',
  "returns a list whose item throws":
    'const a = [1]; Object.defineProperty(a, 0, { get() { throw new Error("SECRET-item"); } }); return a',
  "returns what throws when it is written":
    'return { toJSON() { throw new Error("SECRET-write"); } }',
  "returns a trap": `return ${trap}`,
  "returns a revoked proxy":
    "const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return { proxy }",
  "returns nesting without end": "let a = 1; for (let n = 0; n < 100_000; n++) a = [a]; return a",
  "returns nested objects without end":
    "let a = 1; for (let n = 0; n < 100_000; n++) a = { a }; return a",
  "returns a promise inside": "return { a: Promise.resolve(1) }",
  "returns a rejected thenable": 'return { then(_, no) { no("SECRET-thenable"); } }',
  "returns a thenable that throws": 'return { then() { throw new Error("SECRET-then"); } }',
  "returns a getter named then that throws":
    'return { get then() { throw new Error("SECRET-then"); } }',
});

/** Never answers within the channel's time. */
const silent = table(504, {
  "never resolves": "return await new Promise(() => {})",
  "returns a thenable that never calls": "return { then() {} }",
  "resolves to a chain without end":
    "const next = { then(yes) { setTimeout(() => yes(next), 5); } }; return next",
});

/** Every one of them. */
export const oddities: readonly Oddity[] = [...thrown, ...refusals, ...unsendable, ...silent];

import { deflateSync, gzipSync } from "node:zlib";

/** Bytes of a request that says its length itself. */
function request(
  line: string,
  headers: readonly string[],
  body: string | Uint8Array = "",
): Uint8Array {
  const bytes = typeof body === "string" ? Buffer.from(body, "utf8") : body;
  const hasLength = headers.some((header) => /^(content-length|transfer-encoding):/i.test(header));
  const length = hasLength || bytes.length === 0 ? [] : [`Content-Length: ${bytes.length}`];
  const head = [`${line} HTTP/1.1`, "Host: localhost", ...headers, ...length, "", ""].join("\r\n");
  return Buffer.concat([Buffer.from(head, "latin1"), bytes]);
}

export type HostileRequest = readonly [string, Uint8Array, number | readonly number[]];

const post = (path: string, type: string, body: string | Uint8Array, more: string[] = []) =>
  request(`POST ${path}`, [`Content-Type: ${type}`, ...more], body);

function named(
  prefix: string,
  bodies: readonly (readonly [string, string | Uint8Array])[],
  make: (body: string | Uint8Array) => Uint8Array,
  status: number | readonly number[] = 400,
): HostileRequest[] {
  return bodies.map(([name, body]) => [`${prefix}: ${name}`, make(body), status]);
}

const deepJson = (levels: number) => "[".repeat(levels) + "]".repeat(levels);
const bytes = (...values: number[]) => Uint8Array.from(values);

const jsonCases = named("JSON", [
  ["nothing but spaces", "   "],
  ["a lone brace", "{"],
  ["a lone bracket", "]"],
  ["a key without quotes", "{a:1}"],
  ["single quotes", "{'a':1}"],
  ["a trailing comma", '{"a":1,}'],
  ["a trailing comma in a list", "[1,]"],
  ["no comma", '{"a":1 "b":2}'],
  ["no colon", '{"a" 1}'],
  ["two values", "1 2"],
  ["text behind", '{"a":1}x'],
  ["undefined", "undefined"],
  ["NaN", '{"a":NaN}'],
  ["Infinity", "-Infinity"],
  ["a hexadecimal number", "0x10"],
  ["an octal number", "010"],
  ["a plus sign", "+1"],
  ["a point at the end", "1."],
  ["a point at the start", ".5"],
  ["an empty exponent", "1e"],
  ["a comment", "/* */{}"],
  ["a line break in a text", '"a\nb"'],
  ["a control character in a text", '"a\u0001b"'],
  ["an unknown escape", '"\\x41"'],
  ["half an escape", '"\\u00"'],
  ["an open text", '"abc'],
  ["a NUL behind", '{"a":1}\0'],
  ["two BOMs", "\ufeff\ufeff{}"],
  ["UTF-16", Buffer.from('{"a":1}', "utf16le")],
  ["a byte that is no UTF-8", bytes(0x22, 0xff, 0x22)],
  ["an overlong encoding", bytes(0x22, 0xc0, 0xaf, 0x22)],
  ["half a surrogate pair in bytes", bytes(0x22, 0xed, 0xa0, 0x80, 0x22)],
  ["a cut character", bytes(0x22, 0xe2, 0x82, 0x22)],
  ["nesting of 101", deepJson(101)],
  ["nesting of 5,000", deepJson(5_000)],
  ["nested objects", '{"a":'.repeat(500) + "1" + "}".repeat(500)],
  ["open nesting", "[".repeat(10_000)],
  ["__proto__", '{"__proto__":{"x":1}}'],
  ["__proto__ as null", '{"__proto__":null}'],
  ["__proto__ in a list", '[{"__proto__":1}]'],
  ["__proto__ by escapes", '{"\\u005f\\u005fproto__":1}'],
  ["constructor.prototype", '{"constructor":{"prototype":{"x":1}}}'],
  ["constructor.prototype inside", '{"a":{"constructor":{"prototype":1}}}'],
  ["XML", "<a/>"],
  ["a form", "a=1&b=2"],
  ["gzip without a word of it", gzipSync("{}")],
], (body) => post("/json", "application/json", body));

const typedCases = named("a wrong value", [
  ["a text for a number", '{"id":"7"}'],
  ["a fraction for a whole number", '{"id":7.5}'],
  ["a number beyond whole numbers", '{"id":1e300}'],
  ["null", '{"id":null}'],
  ["an unknown field", '{"admin":true}'],
  ["a text that is too long", `{"name":"${"x".repeat(21)}"}`],
  ["a list for an object", "[]"],
  ["a text for an object", '"x"'],
  ["null for an object", "null"],
  ["an object for a file", '{"file":{"size":1}}'],
  ["a text for a list", '{"tags":"1"}'],
  ["texts in a list of numbers", '{"tags":["1"]}'],
  ["toString for a name", '{"toString":1}'],
  ["an object with a length", '{"tags":{"length":1}}'],
], (body) => post("/typed", "application/json", body));

const formCases = named("a form", [
  ["__proto__", "__proto__=1"],
  ["__proto__ in brackets", "a[__proto__]=1"],
  ["__proto__ before brackets", "__proto__[x]=1"],
  ["__proto__ deep in brackets", "a[b][__proto__][c]=1"],
  ["__proto__ encoded", "%5f%5fproto%5f%5f=1"],
  ["constructor.prototype", "constructor[prototype][x]=1"],
  ["constructor.prototype inside", "a[constructor][prototype]=1"],
  ["a field that is a value and an object", "a=1&a[b]=2"],
  ["an object that is a value", "a[b]=2&a=1"],
  ["a part that is a value and an object", "a[b]=1&a[b][c]=2"],
  ["a name twice", "a[b]=1&a[b]=2"],
  ["17 levels", `a${"[b]".repeat(17)}=1`],
  ["5,000 levels", `a${"[]".repeat(5_000)}=1`],
  ["1,001 fields", "a=1&".repeat(1_001)],
  ["1,001 nested fields", "a[]=1&".repeat(1_001)],
  ["a byte that is no UTF-8", bytes(0x61, 0x3d, 0xff)],
], (body) => post("/form", "application/x-www-form-urlencoded", body));

const part = (head: string, body = "x") => `--B\r\n${head}\r\n\r\n${body}\r\n`;
const field = (name: string, body = "x") =>
  part(`Content-Disposition: form-data; name="${name}"`, body);
const multipartCases = named(
  "multipart",
  [
    ["nothing", " "],
    ["only a preamble", "hello"],
    ["a long preamble", "x".repeat(3_000) + field("a") + "--B--\r\n"],
    ["no end", field("a")],
    ["a cut head", "--B\r\nContent-Disposition: form-data; na"],
    ["a cut body", '--B\r\nContent-Disposition: form-data; name="a"\r\n\r\nabc'],
    ["another boundary", field("a").replaceAll("--B", "--C") + "--C--"],
    ["a part without a name", part("Content-Disposition: form-data") + "--B--"],
    ["a part without a head", "--B\r\n\r\nx\r\n--B--"],
    ["a part that is no form data", part('Content-Disposition: attachment; name="a"') + "--B--"],
    ["no disposition", part("Content-Type: text/plain") + "--B--"],
    ["a head that is no header", part("nonsense") + "--B--"],
    ["a folded header", part('Content-Disposition: form-data;\r\n name="a"') + "--B--"],
    ["a NUL in a header", part('Content-Disposition: form-data; name="a\0"') + "--B--"],
    [
      "a header twice",
      part(
        'Content-Disposition: form-data; name="a"\r\nContent-Disposition: form-data; name="b"',
      ) + "--B--",
    ],
    ["a head of 17,000 bytes", part(`X: ${"x".repeat(17_000)}`) + "--B--"],
    ["an endless head", `--B\r\nX: ${"x".repeat(18_000)}`],
    [
      "base64",
      part(
        'Content-Disposition: form-data; name="a"\r\nContent-Transfer-Encoding: base64',
      ) + "--B--",
    ],
    ["a boundary that goes on", `${field("a")}--Bx\r\n`],
    [
      "a text that is no UTF-8",
      Buffer.concat([
        Buffer.from(field("a", "").slice(0, -2)),
        bytes(0xff, 0xfe),
        Buffer.from("\r\n--B--"),
      ]),
    ],
    ["__proto__", field("__proto__") + "--B--"],
    ["__proto__ in brackets", field("a[__proto__]") + "--B--"],
    ["constructor.prototype", field("constructor[prototype]") + "--B--"],
    ["1,001 parts", field("a", "").repeat(300) + field("a[]", "").repeat(10) + field("a")],
    ["contradicting names", field("a") + field("a[b]") + "--B--"],
  ],
  (body) => post("/form", "multipart/form-data; boundary=B", body),
  [400, 413],
);

const multipartTypes: readonly HostileRequest[] = [
  "multipart/form-data",
  "multipart/form-data; boundary=",
  'multipart/form-data; boundary=""',
  `multipart/form-data; boundary=${"x".repeat(71)}`,
  'multipart/form-data; boundary="a\\\r b"',
  'multipart/form-data; boundary="<>"',
  "multipart/form-data; boundary=B; boundary=C",
].map((type) => [
  `multipart: ${type.slice(0, 60)}`,
  post("/form", type, `${field("a")}--B--`),
  400,
]);

const csvCases = named("CSV", [
  ["an open quote", 'a,b\n"x,1'],
  ["a quote inside", 'a,b\nx"y,1'],
  ["text behind a quote", 'a,b\n"x"y,1'],
  ["a record that is too short", "a,b\nx"],
  ["a record that is too long", "a,b\nx,1,2"],
  ["a column twice", "a,a\nx,y"],
  ["a column without a name", "a,\nx,1"],
  ["__proto__", "a,__proto__\nx,1"],
  ["1,001 columns", Array.from({ length: 1_001 }, (_, index) => `c${index}`).join(",")],
  ["a field of 1,100,000 characters", `a\n${"x".repeat(1_100_000)}`],
  ["an open quote to the end", `a\n"${"x\n".repeat(600_000)}`],
  ["100,001 records", `a\n${"x\n".repeat(100_001)}`],
  ["an unknown column", "a,c\nx,1"],
  ["a text for a number", "a,b\nx,one"],
  ["a missing field", "b\n1"],
  ["bytes that are no UTF-8", bytes(0x61, 0x0a, 0xff, 0x0a)],
  ["UTF-16", Buffer.from("a,b\nx,1", "utf16le")],
], (body) => post("/csv", "text/csv", body));

const typeCases: readonly HostileRequest[] = ([
  ["application/xml", 415],
  ["text/json", 415],
  ["application/jsonp", 415],
  ["application/x-www-form-urlencoded", 415],
  ["multipart/form-data; boundary=B", 415],
  ["application/json; charset=utf-16", 415],
  ["application/json; charset=iso-8859-1", 415],
  ["json", 400],
  ["/", 400],
  ["application/", 400],
  ["application/json/x", 400],
  ["application/json, text/plain", 400],
  ["application/json; charset", 400],
  ["application/json; =x", 400],
  ["application/json; charset=utf-8; charset=utf-8", 400],
  ['application/json; charset="utf-8', 400],
  ["application json", 400],
  ["*/*", 415],
] as const).map(([type, status]) => [`type ${type}`, post("/json", type, "{}"), status]);

const zip = (body: string | Uint8Array) => gzipSync(body);
const encoded = (encoding: string, body: string | Uint8Array, path = "/json") =>
  post(path, "application/json", body, [`Content-Encoding: ${encoding}`]);
const spoilt = (from: number) => {
  const packed = new Uint8Array(zip("{}"));
  return packed.fill(1, from, from + 4 || undefined);
};
const encodingCases: readonly HostileRequest[] = [
  ["a bomb", encoded("gzip", zip(new Uint8Array(15_000_000).fill(32))), 413],
  ["a bomb for a stream", encoded("gzip", zip(new Uint8Array(15_000_000)), "/raw"), 413],
  ["a bomb in a bomb", encoded("gzip", zip(zip(new Uint8Array(15_000_000)))), 400],
  ["gzip that is none", encoded("gzip", "{}"), 400],
  ["gzip that is cut off", encoded("gzip", zip('{"a":1}').subarray(0, 15)), 400],
  ["gzip with a wrong sum", encoded("gzip", spoilt(-8)), 400],
  ["gzip with a wrong length", encoded("gzip", spoilt(-4)), 400],
  ["gzip of nothing", encoded("gzip", zip("")), 400],
  ["gzip of what is no JSON", encoded("gzip", zip("{")), 400],
  ["deflate", encoded("deflate", deflateSync("{}")), 415],
  ["brotli", encoded("br", "{}"), 415],
  ["gzip twice", encoded("gzip, gzip", zip(zip("{}"))), 415],
  ["an unknown encoding", encoded("rot13", "{}"), 415],
];

const sizes: readonly HostileRequest[] = [
  ["a body above the limit", post("/json", "application/json", `"${"x".repeat(20_000)}"`), 413],
  [
    "an announced size above the limit",
    post("/json", "application/json", "", [
      "Content-Length: 999999999",
    ]),
    413,
  ],
  ["a size that is no number", post("/json", "application/json", "", ["Content-Length: 1x"]), 400],
  ["a negative size", post("/json", "application/json", "", ["Content-Length: -1"]), 400],
  [
    "two sizes",
    post("/json", "application/json", "{}", [
      "Content-Length: 2",
      "Content-Length: 3",
    ]),
    400,
  ],
  [
    "size and chunks",
    post("/json", "application/json", "0\r\n\r\n", [
      "Content-Length: 2",
      "Transfer-Encoding: chunked",
    ]),
    400,
  ],
  [
    "a form above the limit",
    post(
      "/form",
      "multipart/form-data; boundary=B",
      [
        field("a", "x".repeat(21_000)),
        "--B--",
      ].join(""),
    ),
    413,
  ],
  ["a text above the limit", post("/text", "text/plain", "x".repeat(20_001)), 413],
];

const get = (target: string, headers: readonly string[] = []) => request(`GET ${target}`, headers);
const pathCases: readonly HostileRequest[] = ([
  ["/typed/x", 404],
  ["/typed/7.5", 404],
  ["/typed/0x7", 404],
  ["/typed/+7", 404],
  ["/typed/7%00", 400],
  ["/typed/9999999999999999999", 404],
  ["/typed/%37%0a", 400],
  ["/typed/NaN", 404],
  ["/typed/", 404],
  ["/typed//7", 404],
  ["/deep/%2e%2e/x", 400],
  ["/deep/.%2E", 400],
  ["/deep/a%0d%0aSet-Cookie:x", 400],
  ["/deep/%", 400],
  ["/deep/%g0", 400],
  ["/deep/%c0%af", 400],
  ["/deep/%ed%a0%80", 400],
  ["/deep/a\\b", 400],
  [`/deep/${"a/".repeat(5_000)}b`, 414],
  ["/__proto__", 404],
  ["/constructor", 404],
  ["/typed/__proto__", 404],
  ["/json?__proto__=1", 400],
  ["/json?a[__proto__]=1", 400],
  ["/json?constructor[prototype]=1", 400],
  ["/json?a=1&a[b]=2", 400],
  [`/json?${"a&".repeat(1_001)}`, 400],
  [`/json?a=${"x".repeat(8_192)}`, 414],
  [`/few?a=${"x".repeat(50)}`, 414],
  ["/typed?id=x", 400],
  ["/typed?tags=1&tags=x", 400],
  ["/typed?ok=maybe", 400],
  ["/typed?at=yesterday", 400],
  ["/typed?unknown=1", 400],
  ["/apart/1?__proto__=1", 400],
] as const).map(([target, status]) => [`target ${target.slice(0, 40)}`, get(target), status]);

const many = (count: number) => Array.from({ length: count }, (_, index) => `X-${index}: 1`);
const headerCases: readonly HostileRequest[] = [
  [
    "Content-Type twice",
    post("/json", "application/json", "{}", [
      "Content-Type: application/json",
    ]),
    400,
  ],
  [
    "other Content-Types",
    post("/json", "application/json", "{}", ["Content-Type: text/plain"]),
    400,
  ],
  [
    "Authorization twice",
    get("/json", ["Authorization: Basic YQ==", "Authorization: Basic Yg=="]),
    400,
  ],
  [
    "two kinds of Authorization",
    get("/json", [
      "Authorization: Bearer abc",
      "Authorization: Basic Yg==",
    ]),
    400,
  ],
  ["Host twice", get("/json", ["Host: other"]), 400],
  ["more headers than the channel takes", get("/few", many(10)), 431],
  ["longer headers than the channel takes", get("/few", [`X: ${"x".repeat(700)}`]), 431],
  ["more headers than the server takes", get("/json", many(150)), [400, 431]],
  ["a space before a colon", get("/json", ["X : 1"]), 400],
  ["a header without a name", get("/json", [": 1"]), 400],
  ["a folded header", get("/json", ["X: 1", " 2"]), 400],
  ["a NUL in a header", get("/json", ["X: a\0b"]), 400],
  ["an unknown method", request("BREW /json", []), 405],
  ["a method that the channel does not take", request("DELETE /json", []), 405],
  ["a range behind the end", get("/blob", ["Range: bytes=10-"]), 416],
  ["a range that goes backwards", get("/blob", ["Range: bytes=5-1"]), 416],
  ["a range of letters", get("/blob", ["Range: bytes=a-b"]), 416],
  ["a range of nothing", get("/blob", ["Range: bytes=-0"]), 416],
  ["an empty range", get("/blob", ["Range: bytes="]), 416],
  ["a range of very many digits", get("/blob", [`Range: bytes=${"9".repeat(400)}-`]), 416],
  ["one good and one bad range", get("/blob", ["Range: bytes=0-1,x"]), 416],
];

/** Requests that no honest client sends: a name, the bytes, and the status they get. */
export const hostileRequests: readonly HostileRequest[] = [
  ...jsonCases,
  ...typedCases,
  ...formCases,
  ...multipartCases,
  ...multipartTypes,
  ...csvCases,
  ...typeCases,
  ...encodingCases,
  ...sizes,
  ...pathCases,
  ...headerCases,
];

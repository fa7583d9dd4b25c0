import { envelope, sumBody } from "./messages.ts";

/** A message that no honest client sends, and what it is. */
export interface HostileCase {
  readonly name: string;
  readonly body: string | Uint8Array<ArrayBuffer>;
  readonly headers?: Readonly<Record<string, string>>;
}

const good = envelope(sumBody);
const bytes = (text: string) => Uint8Array.from(text, (one) => one.charCodeAt(0));
const sum = (inner: string) => envelope(`<Sum xmlns="urn:example:orders">${inner}</Sum>`);
const withType = (doctype: string, inner = "1") =>
  `<?xml version="1.0"?>${doctype}${sum(`<numbers>${inner}</numbers><round>0</round>`)}`;

function texts(named: Readonly<Record<string, string>>): HostileCase[] {
  return Object.entries(named).map(([name, body]) => ({ name, body }));
}

function laughs(): string {
  const entities = Array.from({ length: 10 }, (_, index) => {
    const value = index === 0 ? "lol" : `&l${index - 1};`.repeat(10);
    return `<!ENTITY l${index} "${value}">`;
  });
  return withType(`<!DOCTYPE s [${entities.join("")}]>`, "&l9;");
}

const types = texts({
  "an empty document type": withType("<!DOCTYPE s>"),
  "a billion laughs": laughs(),
  "a quadratic blow-up": withType(`<!DOCTYPE s [<!ENTITY a "${"a".repeat(20_000)}">]>`, "&a;&a;"),
  "an entity that holds itself": withType('<!DOCTYPE s [<!ENTITY a "&a;">]>', "&a;"),
  "a file": withType('<!DOCTYPE s [<!ENTITY x SYSTEM "file:///etc/passwd">]>', "&x;"),
  "a file, public": withType('<!DOCTYPE s [<!ENTITY x PUBLIC "p" "file:///etc/passwd">]>', "&x;"),
  "an address": withType('<!DOCTYPE s [<!ENTITY x SYSTEM "http://127.0.0.1:1/">]>', "&x;"),
  "an expect: address": withType('<!DOCTYPE s [<!ENTITY x SYSTEM "expect://id">]>', "&x;"),
  "a parameter entity": withType('<!DOCTYPE s [<!ENTITY % x SYSTEM "file:///etc/passwd"> %x;]>'),
  "an external subset": withType('<!DOCTYPE s SYSTEM "http://127.0.0.1:1/x.dtd">'),
  "a public subset": withType('<!DOCTYPE s PUBLIC "-//X//EN" "http://127.0.0.1:1/x.dtd">'),
  "default attributes": withType('<!DOCTYPE s [<!ATTLIST s a CDATA "b">]>'),
  "a notation": withType('<!DOCTYPE s [<!NOTATION n SYSTEM "file:///etc/passwd">]>'),
  "an unparsed entity": withType('<!DOCTYPE s [<!ENTITY x SYSTEM "file:///a" NDATA n>]>'),
  "a type that never ends": '<!DOCTYPE s [ <!ENTITY a "',
  "a type in lower case": withType("<!doctype s>"),
  "a type after the root": `${good}<!DOCTYPE s>`,
  "a type inside the root": sum("<!DOCTYPE s><numbers>1</numbers>"),
  "two types": withType("<!DOCTYPE s><!DOCTYPE t>"),
});

const names = ["nbsp", "lt2", "constructor", "__proto__", "toString", "a.b", ""];
const references = [
  "#0",
  "#1",
  "#8",
  "#x0",
  "#xB",
  "#xD800",
  "#xDFFF",
  "#xFFFE",
  "#x110000",
  "#-1",
];
const entities: HostileCase[] = [...names, ...references, "#", "#x", "#xZ", "#99999999999"].map(
  (one) => ({ name: `the reference &${one};`, body: sum(`<numbers>&${one};</numbers>`) }),
);

const elements = (count: number) => "<a>".repeat(count) + "</a>".repeat(count);
const sizes = texts({
  "70 levels": sum(elements(70)),
  "3,000 levels": sum(elements(3_000)),
  "levels that never end": envelope("<a>".repeat(5_000)).slice(0, 20_000),
  "a name of 300 characters": sum(`<${"n".repeat(300)}/>`),
  "a name of 50,000 characters": sum(`<${"n".repeat(50_000)}/>`),
  "a prefix of 50,000 characters": sum(`<${"p".repeat(50_000)}:n/>`),
  "an attribute name of 50,000 characters": sum(`<a ${"n".repeat(50_000)}="1"/>`),
  "1,000 attributes": sum(`<a ${Array.from({ length: 1_000 }, (_, i) => `a${i}=""`).join(" ")}/>`),
  "1,000 namespaces": sum(
    `<a ${Array.from({ length: 1_000 }, (_, i) => `xmlns:a${i}="u"`).join(" ")}/>`,
  ),
  "an attribute that never ends": sum(`<a b="${"x".repeat(50_000)}`),
  "a body beyond the limit": sum(`<numbers>${"1".repeat(150_000)}</numbers>`),
  "a comment that never ends": sum("<!-- ".repeat(1_000)),
  "a text beyond numbers": sum(`<numbers>${"9".repeat(50_000)}e999</numbers><round>1</round>`),
});

const shapes = texts({
  "nothing": "",
  "spaces": "   \n ",
  "text": "hello",
  "JSON": '{"numbers":[1]}',
  "HTML": "<html><body><p>hello</body></html>",
  "one bracket": "<",
  "an open tag": "<s",
  "a closing tag alone": "</s:Envelope>",
  "no end": good.slice(0, -4),
  "half of it": good.slice(0, good.length / 2),
  "two roots": good + good,
  "text behind the root": `${good}x`,
  "text before the root": `x${good}`,
  "a declaration in the middle": good.replace("<s:Body>", '<?xml version="1.0"?><s:Body>'),
  "an instruction": good.replace("<s:Body>", "<?php system('id') ?><s:Body>"),
  "a stylesheet": `<?xml version="1.0"?><?xml-stylesheet href="http://127.0.0.1:1/"?>${good}`,
  "crossed tags": sum("<numbers><round></numbers></round>"),
  "tags of other case": sum("<numbers>1</Numbers>"),
  "an attribute twice": sum('<numbers a="1" a="2">1</numbers>'),
  "an attribute twice by namespace": sum('<a xmlns:p="u" xmlns:q="u" p:x="1" q:x="1"/>'),
  "a prefix of nobody": sum("<p:numbers>1</p:numbers>"),
  "an attribute's prefix of nobody": sum('<numbers p:x="1">1</numbers>'),
  "the prefix xml elsewhere": sum('<a xmlns:xml="urn:x"/>'),
  "the prefix xmlns": sum('<xmlns:a xmlns:xmlns="urn:x"/>'),
  "an empty prefix": sum("<:a/>"),
  "two colons": sum("<s:a:b/>"),
  "an undeclared prefix by nothing": sum('<a xmlns:p=""><p:b/></a>'),
  "an attribute without quotes": sum("<numbers a=1>1</numbers>"),
  "an attribute without a value": sum("<numbers a>1</numbers>"),
  "a bracket in an attribute": sum('<numbers a="<">1</numbers>'),
  "the end of CDATA alone": sum("<numbers>]]></numbers>"),
  "CDATA without an end": sum("<numbers><![CDATA[1</numbers>"),
  "a comment with two dashes": sum("<!-- a -- b -->"),
  "a NUL": sum("<numbers>\0</numbers>"),
  "a NUL in a name": sum("<num\0bers>1</num\0bers>"),
  "a bell": sum("<numbers>\x07</numbers>"),
  "control characters by version 1.1": `<?xml version="1.1"?>${sum("<numbers>&#7;</numbers>")}`,
  "a name that begins with a digit": sum("<1a/>"),
  "a U+FFFE": sum("<numbers>\ufffe</numbers>"),
});

const soap = texts({
  "no envelope": sumBody,
  "an envelope of nobody": good.replace("schemas.xmlsoap.org", "example.org"),
  "no body": '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"/>',
  "two bodies": good.replace("</s:Envelope>", "<s:Body/></s:Envelope>"),
  "a header behind the body": good.replace("</s:Envelope>", "<s:Header/></s:Envelope>"),
  "two headers": good.replace("<s:Body>", "<s:Header/><s:Header/><s:Body>"),
  "something beside the body": good.replace("<s:Body>", "<x/><s:Body>"),
  "two elements in the body": envelope(sumBody + sumBody),
  "an empty body": envelope(""),
  "text for a body": envelope("hello"),
  "an unknown operation": envelope('<Drop xmlns="urn:example:orders"/>'),
  "an operation of no namespace": envelope("<Sum/>"),
  "an operation that every object has": envelope('<constructor xmlns="urn:example:orders"/>'),
  "an envelope in an envelope": envelope(good),
  "a fault": envelope("<s:Fault><faultcode>s:Server</faultcode></s:Fault>"),
});

const values = texts({
  "__proto__": sum("<__proto__><a>1</a></__proto__><round>0</round>"),
  "__proto__ twice": sum("<__proto__/><__proto__/><numbers>1</numbers><round>0</round>"),
  "text for a number": sum("<numbers>one</numbers><round>0</round>"),
  "a hexadecimal number": sum("<numbers>0x1f</numbers><round>0</round>"),
  "infinity": sum("<numbers>INF</numbers><round>0</round>"),
  "an empty number": sum("<numbers/><round>0</round>"),
  "elements for a number": sum("<numbers><a/></numbers><round>0</round>"),
  "two booleans where one is meant": sum("<numbers>1</numbers><round>0</round><round>1</round>"),
  "null where none is allowed": sum(
    '<round xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:nil="true"/>',
  ),
  "nothing that is asked for": sum(""),
  "text for an object": sum("hello"),
});

const encodings: readonly HostileCase[] = [
  { name: "bytes that are not UTF-8", body: bytes(sum("<numbers>\xff\xfe</numbers>")) },
  { name: "overlong UTF-8", body: bytes(sum("<numbers>\xc0\xbc</numbers>")) },
  { name: "half a surrogate in UTF-8", body: bytes(sum("<numbers>\xed\xa0\x80</numbers>")) },
  { name: "UTF-8 cut in a character", body: bytes(`${good}\xe2\x82`) },
  { name: "a false UTF-16 mark", body: bytes(`\xff\xfe${good}`) },
  { name: "UTF-16 of odd length", body: bytes("\xff\xfe<\0s\0/") },
  { name: "UTF-32", body: bytes("\xff\xfe\0\0<\0\0\0s\0\0\0") },
  ...["UTF-16", "UTF-7", "EBCDIC-CP-US", "utf-32", "hz-gb-2312", "../../etc/passwd", ""].map(
    (encoding) => ({
      name: `the declared encoding "${encoding}"`,
      body: `<?xml version="1.0" encoding="${encoding}"?>${sum("<numbers>x</numbers>")}`,
      headers: { "Content-Type": "text/xml" },
    }),
  ),
  ...["utf-16", "utf-7", "nonsense", "ebcdic"].map((charset) => ({
    name: `the charset ${charset}`,
    body: good,
    headers: { "Content-Type": `text/xml; charset=${charset}` },
  })),
  ...["text/plain", "application/json", "multipart/related", "image/svg+xml", "nothing", ""].map(
    (type) => ({
      name: `the content type "${type}"`,
      body: good,
      headers: { "Content-Type": type },
    }),
  ),
  { name: "false gzip", body: good, headers: { "Content-Encoding": "gzip" } },
  { name: "an unknown compression", body: good, headers: { "Content-Encoding": "exi" } },
  { name: "an action of nobody", body: envelope("<a/>"), headers: { SOAPAction: "constructor" } },
];

/** All of them. */
export const hostileCases: readonly HostileCase[] = [
  ...types,
  ...entities,
  ...sizes,
  ...shapes,
  ...soap,
  ...values,
  ...encodings,
];

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseXml } from "../../xml/parse.ts";
import { describeWsdl } from "./describe.ts";
import { decodeMessage, encodeMessage } from "./message-codec.ts";
import { readWsdl } from "./read-wsdl.ts";

/** A WSDL with one operation `Op`, whose element has this content. */
function wsdl(content: string, more = "", types = ""): string {
  return `<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:t="urn:t"
    xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/"
    targetNamespace="urn:t">
    <types><xs:schema targetNamespace="urn:t" elementFormDefault="qualified">
      <xs:element name="Op">${content}</xs:element>
      <xs:element name="OpResponse" type="xs:string"/>${more}
    </xs:schema>${types}</types>
    <message name="In"><part name="p" element="t:Op"/></message>
    <message name="Out"><part name="p" element="t:OpResponse"/></message>
    <portType name="P"><operation name="Op"><input message="t:In"/><output message="t:Out"/></operation></portType>
    <binding name="B" type="t:P"><soap:binding transport="http://schemas.xmlsoap.org/soap/http"/>
      <operation name="Op"><soap:operation soapAction="a"/><input><soap:body use="literal"/></input>
      <output><soap:body use="literal"/></output></operation></binding>
    <service name="S"><port name="P" binding="t:B"><soap:address location="http://h/"/></port></service>
  </definitions>`;
}

const sequence = (particles: string) =>
  `<xs:complexType><xs:sequence>${particles}</xs:sequence></xs:complexType>`;

/** What a value becomes, and what that is read as. */
function roundTrip(text: string, value: unknown): readonly [xml: string, back: unknown] {
  const { ports, types } = readWsdl(text);
  const { input } = ports[0]!.operations.get("Op")!;
  const xml = encodeMessage(input, value, types);
  return [xml, decodeMessage(input, parseXml(xml), types)];
}

const head = '<ns1:Op xmlns:ns1="urn:t">';

describe("A message by its WSDL", () => {
  const cases: readonly {
    readonly name: string;
    readonly content: string;
    readonly more?: string;
    readonly value: unknown;
    readonly inner?: string;
    readonly back?: unknown;
  }[] = [
    {
      name: "has its members in the WSDL's order",
      content: sequence(
        '<xs:element name="a" type="xs:int"/><xs:element name="b" type="xs:string"/>',
      ),
      value: { b: "x", a: 1 },
      inner: "<ns1:a>1</ns1:a><ns1:b>x</ns1:b>",
    },
    {
      name: "has lists that are always lists",
      content: sequence('<xs:element name="a" type="xs:int" minOccurs="0" maxOccurs="unbounded"/>'),
      value: {},
      back: { a: [] },
    },
    {
      name: "takes one value where a list is meant",
      content: sequence('<xs:element name="a" type="xs:int" maxOccurs="3"/>'),
      value: { a: 5 },
      back: { a: [5] },
    },
    {
      name: "says null where it may",
      content: sequence('<xs:element name="a" type="xs:int" nillable="true"/>'),
      value: { a: null },
    },
    {
      name: "has items that are null",
      content: sequence('<xs:element name="a" type="xs:int" nillable="true" maxOccurs="9"/>'),
      value: { a: [1, null, 2] },
    },
    {
      name: "keeps pairs of a repeated sequence together",
      content:
        `<xs:complexType><xs:sequence maxOccurs="unbounded"><xs:element name="k" type="xs:string"/>
        <xs:element name="v" type="xs:int"/></xs:sequence></xs:complexType>`,
      value: { k: ["a", "b"], v: [1, 2] },
      inner: "<ns1:k>a</ns1:k><ns1:v>1</ns1:v><ns1:k>b</ns1:k><ns1:v>2</ns1:v>",
    },
    {
      name: "has the chosen member of a choice",
      content: `<xs:complexType><xs:choice><xs:element name="a" type="xs:int"/>
        <xs:element name="b" type="xs:int"/></xs:choice></xs:complexType>`,
      value: { b: 2 },
    },
    {
      name: "has everything of a type that extends another",
      content: `<xs:complexType><xs:complexContent><xs:extension base="t:Base"><xs:sequence>
        <xs:element name="b" type="xs:int"/></xs:sequence><xs:attribute name="c" type="xs:int"/>
        </xs:extension></xs:complexContent></xs:complexType>`,
      more:
        `<xs:complexType name="Base"><xs:sequence><xs:element name="a" type="xs:int"/></xs:sequence>
        <xs:attribute name="d" type="xs:boolean"/></xs:complexType>`,
      value: { "@d": true, "@c": 3, a: 1, b: 2 },
      back: { "@d": true, "@c": 3, a: 1, b: 2 },
    },
    {
      name: "says the type of what is derived",
      content: sequence('<xs:element name="pet" type="t:Pet" maxOccurs="9"/>'),
      more:
        `<xs:complexType name="Pet" abstract="true"><xs:sequence><xs:element name="n" type="xs:string"/>
        </xs:sequence></xs:complexType><xs:complexType name="Dog"><xs:complexContent>
        <xs:extension base="t:Pet"><xs:sequence><xs:element name="barks" type="xs:boolean"/></xs:sequence>
        </xs:extension></xs:complexContent></xs:complexType>`,
      value: { pet: [{ "@xsi:type": "Dog", n: "Rex", barks: true }] },
    },
    {
      name: "has text with attributes",
      content: `<xs:complexType><xs:simpleContent><xs:extension base="xs:decimal">
        <xs:attribute name="cur" use="required"/></xs:extension></xs:simpleContent></xs:complexType>`,
      value: { "@cur": "EUR", "#text": 1.25 },
    },
    {
      name: "can be one value",
      content: `<xs:simpleType><xs:restriction base="xs:int"><xs:minInclusive value="1"/>
        </xs:restriction></xs:simpleType>`,
      value: 7,
    },
    {
      name: "has lists in one text",
      content: sequence(
        '<xs:element name="a"><xs:simpleType><xs:list itemType="xs:int"/></xs:simpleType></xs:element>',
      ),
      value: { a: [1, 2, 3] },
      inner: "<ns1:a>1 2 3</ns1:a>",
    },
    {
      name: "takes the first type of a union that fits",
      content: sequence(
        '<xs:element name="a" maxOccurs="9"><xs:simpleType><xs:union memberTypes="xs:int xs:string"/></xs:simpleType></xs:element>',
      ),
      value: { a: [1, "x"] },
    },
    {
      name: "holds itself",
      content: sequence('<xs:element name="n" type="t:Node"/>'),
      more: `<xs:complexType name="Node"><xs:sequence><xs:element name="v" type="xs:int"/>
        <xs:element name="n" type="t:Node" minOccurs="0" maxOccurs="2"/></xs:sequence></xs:complexType>`,
      value: { n: { v: 1, n: [{ v: 2, n: [] }] } },
    },
    {
      name: "has members of groups",
      content:
        '<xs:complexType><xs:group ref="t:G"/><xs:attributeGroup ref="t:A"/></xs:complexType>',
      more: `<xs:group name="G"><xs:all><xs:element name="x" type="xs:int"/></xs:all></xs:group>
        <xs:attributeGroup name="A"><xs:attribute name="y" type="xs:int"/></xs:attributeGroup>`,
      value: { "@y": 1, x: 2 },
    },
    {
      name: "has whatever it may where anything is taken",
      content: sequence(
        '<xs:element name="a" type="xs:anyType"/><xs:any minOccurs="0" processContents="lax"/>',
      ),
      value: { a: { b: ["1", "2"] }, other: { c: "x" } },
    },
    {
      name: "has numbers without an exponent, and bytes",
      content: sequence(
        `<xs:element name="d" type="xs:decimal"/><xs:element name="f" type="xs:double"/>
        <xs:element name="b" type="xs:base64Binary"/><xs:element name="h" type="xs:hexBinary"/>`,
      ),
      value: { d: 1e-7, f: 1e-7, b: new Uint8Array([1, 2]), h: new Uint8Array([255]) },
      inner: "<ns1:d>0.0000001</ns1:d><ns1:f>1e-7</ns1:f><ns1:b>AQI=</ns1:b><ns1:h>ff</ns1:h>",
      back: { d: 1e-7, f: 1e-7, b: "AQI=", h: "ff" },
    },
    {
      name: "keeps digits that no number holds",
      content: sequence(
        '<xs:element name="a" type="xs:long"/><xs:element name="b" type="xs:decimal"/>',
      ),
      value: { a: 9007199254740993n, b: "0.12345678901234567890" },
      back: { a: "9007199254740993", b: "0.12345678901234567890" },
    },
    {
      name: "has dates as texts",
      content: sequence(
        '<xs:element name="d" type="xs:date"/><xs:element name="t" type="xs:dateTime"/>',
      ),
      value: { d: new Date("2026-01-31T10:00:00Z"), t: new Date("2026-01-31T10:00:00Z") },
      back: { d: "2026-01-31", t: "2026-01-31T10:00:00.000Z" },
    },
    {
      name: "has infinite and missing numbers",
      content: sequence('<xs:element name="a" type="xs:double" maxOccurs="9"/>'),
      value: { a: [Infinity, -Infinity, NaN] },
      back: { a: ["INF", "-INF", "NaN"] },
    },
    {
      name: "has fixed members that nobody gave",
      content: sequence('<xs:element name="v" type="xs:string" fixed="1.0"/>'),
      value: {},
      back: { v: "1.0" },
    },
  ];
  for (const { name, content, more, value, inner, back = value } of cases) {
    it(name, () => {
      const [xml, found] = roundTrip(wsdl(content, more), value);
      assert.deepEqual(found, back);
      if (inner !== undefined) assert.equal(xml, `${head}${inner}</ns1:Op>`);
      assert.doesNotThrow(() => JSON.stringify(describeWsdl(wsdl(content, more))));
    });
  }
});

describe("readWsdl refuses", () => {
  const element = (attributes: string) => sequence(`<xs:element name="a" ${attributes}/>`);
  const nested = (depth: number): string =>
    depth === 0
      ? '<xs:element name="x" type="xs:int"/>'
      : `<xs:sequence>${nested(depth - 1)}</xs:sequence>`;
  const bombs = Array.from(
    { length: 40 },
    (_, index) =>
      `<xs:group name="g${index}"><xs:sequence><xs:group ref="t:g${index + 1}"/><xs:group ref="t:g${
        index + 1
      }"/></xs:sequence></xs:group>`,
  ).join("");
  const wrong: readonly (readonly [name: string, text: string, reason: RegExp])[] = [
    ["no XML", "hello", /XML/],
    ["another document", "<a/>", /no WSDL 1\.1/],
    ["WSDL 2.0", '<description xmlns="http://www.w3.org/ns/wsdl"/>', /WSDL 2\.0/],
    [
      "a document type",
      `<!DOCTYPE d [<!ENTITY e "x">]>${wsdl(element('type="xs:int"'))}`,
      /document type/,
    ],
    ["a type that is not there", wsdl(element('type="t:Nope"')), /there is no type \{urn:t\}Nope/],
    [
      "a misspelt type",
      wsdl(element('type="t:Custmer"'), '<xs:complexType name="Customer"/>'),
      /did you mean \{urn:t\}Customer/,
    ],
    ["a type that XML Schema has not", wsdl(element('type="xs:strin"')), /no type "strin"/],
    [
      "a prefix that is not declared",
      wsdl(element('type="q:x"')),
      /prefix of "q:x" is not declared/,
    ],
    [
      "a missing import",
      wsdl(
        element('type="o:X" xmlns:o="urn:o"'),
        "",
        '<xs:schema targetNamespace="urn:u"><xs:import namespace="urn:o" schemaLocation="o.xsd"/></xs:schema>',
      ),
      /"o\.xsd" is imported, and not part/,
    ],
    [
      "a type that extends itself",
      wsdl(
        element('type="t:A"'),
        '<xs:complexType name="A"><xs:complexContent><xs:extension base="t:B"/></xs:complexContent></xs:complexType><xs:complexType name="B"><xs:complexContent><xs:extension base="t:A"/></xs:complexContent></xs:complexType>',
      ),
      /extends itself/,
    ],
    [
      "a simple type made of itself",
      wsdl(
        element('type="t:A"'),
        '<xs:simpleType name="A"><xs:restriction base="t:B"/></xs:simpleType><xs:simpleType name="B"><xs:restriction base="t:A"/></xs:simpleType>',
      ),
      /made of itself/,
    ],
    [
      "a group in itself",
      wsdl(
        '<xs:complexType><xs:group ref="t:G"/></xs:complexType>',
        '<xs:group name="G"><xs:sequence><xs:group ref="t:G"/></xs:sequence></xs:group>',
      ),
      /nested too deeply/,
    ],
    [
      "an attribute group in itself",
      wsdl(
        '<xs:complexType><xs:attributeGroup ref="t:G"/></xs:complexType>',
        '<xs:attributeGroup name="G"><xs:attributeGroup ref="t:G"/></xs:attributeGroup>',
      ),
      /nested too deeply/,
    ],
    [
      "groups that multiply",
      wsdl(
        '<xs:complexType><xs:group ref="t:g0"/></xs:complexType>',
        `${bombs}<xs:group name="g40"><xs:sequence><xs:element name="x" type="xs:int"/></xs:sequence></xs:group>`,
      ),
      /more than 200000 parts/,
    ],
    [
      "depth without end",
      wsdl(`<xs:complexType>${nested(500)}</xs:complexType>`),
      /deeper elements/,
    ],
    ["an element in place of a type", wsdl(element('type="t:Op"')), /no type \{urn:t\}Op/],
    [
      "a simple type that is extended",
      wsdl(
        element('type="t:A"'),
        '<xs:complexType name="A"><xs:complexContent><xs:extension base="xs:int"/></xs:complexContent></xs:complexType>',
      ),
      /is a simple type/,
    ],
    [
      "occurrences that are no numbers",
      wsdl(element('type="xs:int" maxOccurs="many"')),
      /is no number/,
    ],
    [
      "a redefinition",
      wsdl(element('type="xs:int"'), '<xs:redefine schemaLocation="x"/>'),
      /redefine is not supported/,
    ],
    ["an element without a name", wsdl(sequence('<xs:element type="xs:int"/>')), /it has no name/],
    [
      "a message that is not there",
      wsdl(element('type="xs:int"')).replace('message="t:In"', 'message="t:Inn"'),
      /no message \{urn:t\}Inn/,
    ],
    [
      "a binding that is not there",
      wsdl(element('type="xs:int"')).replace('binding="t:B"', 'binding="t:C"'),
      /no binding \{urn:t\}C/,
    ],
    [
      "a port type that is not there",
      wsdl(element('type="xs:int"')).replace('type="t:P"', 'type="t:Q"'),
      /no portType \{urn:t\}Q/,
    ],
    [
      "an operation that is bound to nothing",
      wsdl(element('type="xs:int"')).replace(
        '<portType name="P"><operation name="Op">',
        '<portType name="P"><operation name="Up">',
      ),
      /no operation of this name/,
    ],
    [
      "no port over SOAP",
      wsdl(element('type="xs:int"')).replaceAll("wsdl/soap/", "wsdl/other/"),
      /no port that speaks SOAP/,
    ],
    [
      "a style that is none",
      wsdl(element('type="xs:int"')).replace("<soap:binding ", '<soap:binding style="odd" '),
      /its style is "odd"/,
    ],
  ];
  for (const [name, text, reason] of wrong) {
    it(name, () => {
      assert.throws(() => readWsdl(text), (error: Error) => {
        assert.match(error.message, reason);
        return true;
      });
    });
  }

  it("with the place", () => {
    assert.throws(() => readWsdl(wsdl(element('type="t:Nope"'))), {
      code: "SOAP_WSDL_INVALID",
      message:
        /definitions "urn:t"\/types\/schema "urn:t"\/element "Op"\/complexType\/sequence\/element "a"/,
    });
  });

  it("nothing for parts of it that nobody uses", () => {
    const unused =
      '<xs:complexType name="U"><xs:sequence><xs:element name="a" type="t:Nope"/></xs:sequence></xs:complexType>';
    assert.equal(readWsdl(wsdl(element('type="xs:int"'), unused)).ports.length, 1);
  });
});

describe("A hostile answer", () => {
  const text = wsdl(sequence('<xs:element name="a" type="xs:int" minOccurs="0"/>'));
  const read = (xml: string) => {
    const { ports, types } = readWsdl(text);
    return decodeMessage(ports[0]!.operations.get("Op")!.input, parseXml(xml), types);
  };

  for (const key of ["__proto__", "constructor", "prototype"]) {
    it(`cannot reach prototypes by ${key}`, () => {
      assert.throws(() => read(`<Op xmlns="urn:t"><${key}><x>1</x></${key}></Op>`), {
        code: "REQUEST_MALFORMED",
      });
      assert.equal(({} as Record<string, unknown>)["x"], undefined);
    });
  }

  it("is what it says where it is not of its type", () => {
    assert.deepEqual(read('<Op xmlns="urn:t"><a>five</a></Op>'), { a: "five" });
    assert.deepEqual(read('<Op xmlns="urn:t"><a><b>1</b></a></Op>'), { a: { b: "1" } });
    assert.deepEqual(read("<Op><a> 5 </a></Op>"), { a: 5 });
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isPlatformError } from "../errors/platform-error.ts";
import type { XmlElement } from "./element.ts";
import { escapeText, isXmlName } from "./escape.ts";
import { parseXml, type ParseXmlOptions } from "./parse.ts";
import { attributeOf, childElement, childElements, textOf } from "./query.ts";
import { renderXml, xmlElement } from "./render.ts";

function refusal(source: string | Uint8Array, options?: ParseXmlOptions) {
  try {
    parseXml(source, options);
  } catch (error) {
    if (isPlatformError(error)) return error;
    throw error;
  }
  throw new Error("The document was taken");
}

const latin1 = (text: string) => Uint8Array.from(text, (one) => one.charCodeAt(0));

/** Big or little endian, with a byte order mark. */
function utf16(text: string, isLittle: boolean): Uint8Array {
  const view = new DataView(new ArrayBuffer(2 * text.length + 2));
  for (const [index, one] of [...`\ufeff${text}`].entries()) {
    view.setUint16(2 * index, one.charCodeAt(0), isLittle);
  }
  return new Uint8Array(view.buffer);
}

describe("parseXml", () => {
  it("resolves names, keeps order, joins text and leaves comments out", () => {
    const root = parseXml(
      '<a xmlns="urn:a" xmlns:b="urn:b" b:x="1" y="2">t<!-- c -->&lt;<![CDATA[<&]]><b:c/>u</a>',
    );

    assert.deepEqual([root.name, root.namespace], ["a", "urn:a"]);
    assert.deepEqual([...root.declarations], [["", "urn:a"], ["b", "urn:b"]]);
    assert.equal(attributeOf(root, "x", "urn:b"), "1");
    assert.equal(attributeOf(root, "y"), "2");
    assert.equal(attributeOf(root, "x"), undefined);
    assert.deepEqual(root.children.map((one) => typeof one === "string" ? one : one.namespace), [
      "t<<&",
      "urn:b",
      "u",
    ]);
    assert.equal(textOf(root), "t<<&u");
    assert.equal(childElement(root, "c", "urn:a"), undefined);
    assert.equal(childElements(root).length, 1);
  });

  const texts: readonly [string, Uint8Array, ParseXmlOptions?][] = [
    ["UTF-8", new TextEncoder().encode("<a>é</a>")],
    ["UTF-8 with a mark", new TextEncoder().encode("\ufeff<a>é</a>")],
    ["UTF-16, little endian", utf16('<?xml version="1.0" encoding="UTF-16"?><a>é</a>', true)],
    ["UTF-16, big endian", utf16("<a>é</a>", false)],
    ["UTF-16 without a mark", utf16("<a>é</a>", true).subarray(2)],
    ["ISO-8859-1", latin1('<?xml version="1.0" encoding="ISO-8859-1"?><a>é</a>')],
    ["windows-1252", latin1("<?xml version='1.0' encoding='windows-1252'?><a>é</a>")],
    ["the transport's charset", latin1("<a>é</a>"), { charset: "iso-8859-1" }],
  ];
  for (const [name, bytes, options] of texts) {
    it(`reads ${name}`, () => assert.equal(textOf(parseXml(bytes, options)), "é"));
  }

  const wrong: readonly [string, string, string | Uint8Array, ParseXmlOptions?][] = [
    ["nothing", "XML_MALFORMED", ""],
    ["text alone", "XML_MALFORMED", "hello"],
    ["an open end", "XML_MALFORMED", "<a><b></b>"],
    ["crossed tags", "XML_MALFORMED", "<a><b></a></b>"],
    ["two roots", "XML_MALFORMED", "<a/><b/>"],
    ["text after the root", "XML_MALFORMED", "<a/>x"],
    ["an unknown entity", "XML_MALFORMED", "<a>&nbsp;</a>"],
    ["an entity named as a method", "XML_MALFORMED", "<a>&constructor;</a>"],
    ["a bare ampersand", "XML_MALFORMED", "<a>a & b</a>"],
    ["a NUL", "XML_MALFORMED", "<a>\0</a>"],
    ["a reference to NUL", "XML_MALFORMED", "<a>&#0;</a>"],
    ["a control character in version 1.1", "XML_MALFORMED", '<?xml version="1.1"?><a>&#1;</a>'],
    ["half a surrogate pair", "XML_MALFORMED", "<a>\ud800</a>"],
    ["attributes twice", "XML_MALFORMED", '<a x="1" x="2"/>'],
    [
      "attributes twice by two prefixes",
      "XML_MALFORMED",
      '<a xmlns:p="u" xmlns:q="u" p:x="1" q:x="2"/>',
    ],
    ["an unbound prefix", "XML_MALFORMED", "<p:a/>"],
    ["an attribute without quotes", "XML_MALFORMED", "<a x=1/>"],
    ["a less-than in an attribute", "XML_MALFORMED", '<a x="<"/>'],
    ["a document type", "XML_FORBIDDEN", "<!DOCTYPE a><a/>"],
    [
      "an external entity",
      "XML_FORBIDDEN",
      '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
    ],
    ["an instruction", "XML_FORBIDDEN", "<a><?php x?></a>", { refuseInstructions: true }],
    ["deep nesting", "XML_LIMIT", "<a>".repeat(65) + "</a>".repeat(65)],
    ["many elements", "XML_LIMIT", `<a>${"<b/>".repeat(10)}</a>`, { elements: 10 }],
    ["long names", "XML_LIMIT", `<${"a".repeat(257)}/>`],
    ["long attribute names", "XML_LIMIT", `<a ${"b".repeat(257)}="1"/>`],
    ["many attributes", "XML_LIMIT", `<a ${manyAttributes(257)}/>`],
    ["much text", "XML_LIMIT", "<a>12345</a>", { characters: 10 }],
    ["an unknown encoding", "XML_ENCODING", latin1('<?xml version="1.0" encoding="EBCDIC"?><a/>')],
    ["UTF-7", "XML_ENCODING", latin1('<?xml version="1.0" encoding="UTF-7"?><a/>')],
    ["a false UTF-16", "XML_ENCODING", latin1('<?xml version="1.0" encoding="UTF-16"?><a/>')],
    ["invalid UTF-8", "XML_ENCODING", latin1("<a>é</a>")],
    ["overlong UTF-8", "XML_ENCODING", latin1("<a>\xc0\xbc</a>")],
    ["UTF-32", "XML_ENCODING", Uint8Array.of(0xff, 0xfe, 0, 0, 0x3c, 0, 0, 0)],
  ];
  for (const [name, code, source, options] of wrong) {
    it(`refuses ${name}`, () => assert.equal(refusal(source, options).code, code));
  }

  it("says where it stopped", () => {
    assert.match(refusal("<a>\n  <b>\n</a>").message, /line 3, column 4/);
  });
});

function manyAttributes(count: number): string {
  return Array.from({ length: count }, (_, index) => `a${index}=""`).join(" ");
}

describe("renderXml", () => {
  it("writes what parseXml reads as the same tree", () => {
    const text = '<a xmlns="urn:a" xmlns:b="urn:b" b:x="&quot;&#10;" y="2">t&lt;' +
      '<b:c><d xmlns=""/></b:c>&amp;&#13;</a>';

    const tree = parseXml(text);

    assert.equal(renderXml(tree), text);
    assert.deepEqual(parseXml(renderXml(tree)), tree);
  });

  it("finds prefixes for names that have none", () => {
    const inner = xmlElement({ namespace: "", name: "c" });
    const attributes = [{ name: "x", namespace: "urn:x", value: "1" }];
    const tree = xmlElement({ namespace: "urn:a", name: "a" }, [inner], { attributes });

    const text = renderXml(tree, { declaration: true });

    assert.match(text, /^<\?xml version="1\.0" encoding="UTF-8"\?>\n<a /);
    const names = (element: XmlElement): unknown => [
      `{${element.namespace}}${element.name}`,
      element.attributes,
      childElements(element).map(names),
    ];
    assert.deepEqual(names(parseXml(text)), names(tree));
  });

  const control = String.fromCharCode(1);
  const unwritable: readonly XmlElement[] = [
    xmlElement({ namespace: "", name: "a b" }),
    xmlElement({ namespace: "", name: "a" }, [control]),
    xmlElement({ namespace: "", name: "a" }, ["\ud800"]),
    xmlElement({ namespace: "", name: "a" }, [], {
      attributes: [{ name: "x", namespace: "", value: control }],
    }),
    xmlElement({ namespace: "", name: "a" }, [], { declarations: new Map([["", "urn:b"]]) }),
  ];
  for (const [index, tree] of unwritable.entries()) {
    it(`refuses what XML cannot say (${index})`, () => {
      assert.throws(() => renderXml(tree), { code: "XML_UNWRITABLE" });
    });
  }

  it("knows names and escapes text", () => {
    assert.deepEqual(["a", "é-1", "_", "a:b", "1a", "", "a b"].map(isXmlName), [
      ...[true, true, true],
      ...[false, false, false, false],
    ]);
    assert.equal(escapeText("a\u{1f600}<\r\n"), "a\u{1f600}&lt;&#13;\n");
  });
});

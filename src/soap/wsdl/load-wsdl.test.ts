import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { loadWsdl } from "./load-wsdl.ts";
import { readWsdl } from "./read-wsdl.ts";

let directory: string;
before(async () => void (directory = await mkdtemp(join(tmpdir(), "dragoman-wsdl-"))));
after(() => rm(directory, { recursive: true, force: true }));

async function write(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(directory, name)), { recursive: true });
    await writeFile(join(directory, name), text);
  }
}

const xs = 'xmlns:xs="http://www.w3.org/2001/XMLSchema"';
const main = (types: string) =>
  `<w:definitions xmlns:w="http://schemas.xmlsoap.org/wsdl/" xmlns:t="urn:t" xmlns="urn:default"
  xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" ${xs} targetNamespace="urn:t">
  <w:types><xs:schema targetNamespace="urn:t">${types}<xs:element name="Op" type="t:In"/></xs:schema></w:types>
  <w:message name="In"><w:part name="p" element="t:Op"/></w:message>
  <w:portType name="P"><w:operation name="Op"><w:input message="t:In"/></w:operation></w:portType>
  <w:binding name="B" type="t:P"><soap:binding/><w:operation name="Op"><soap:operation soapAction=""/>
  <w:input><soap:body use="literal"/></w:input></w:operation></w:binding>
  <w:service name="S"><w:port name="P" binding="t:B"><soap:address location="http://h/"/></w:port></w:service>
  </w:definitions>`;
const include = (location: string) => `<xs:include schemaLocation="${location}"/>`;
const read = async () => readWsdl(await loadWsdl(join(directory, "main.wsdl")));

describe("loadWsdl", () => {
  it("ends where documents include each other", async () => {
    await write({
      "main.wsdl": main(include("a.xsd")),
      "a.xsd": `<xs:schema ${xs} targetNamespace="urn:t">${include("b.xsd")}</xs:schema>`,
      "b.xsd": `<xs:schema ${xs} xmlns:t="urn:t" targetNamespace="urn:t">${include("a.xsd")}
        <xs:complexType name="In"><xs:sequence><xs:element name="a" type="t:In" minOccurs="0"/>
        </xs:sequence></xs:complexType></xs:schema>`,
    });
    assert.equal((await read()).ports.length, 1);
  });

  it("finds what is on the network beside the WSDL", async () => {
    await write({
      "main.wsdl": main(include("http://example.com/schemas/in.xsd")),
      "in.xsd": `<xs:schema ${xs}><xs:complexType name="In"/></xs:schema>`,
    });
    assert.equal((await read()).ports.length, 1);
  });

  it("keeps what names without a prefix mean", async () => {
    await write({
      "main.wsdl": main(include("sub/in.xsd")),
      "sub/in.xsd": `<schema xmlns="http://www.w3.org/2001/XMLSchema">${""}
        <complexType name="In"><sequence><element name="a" type="string"/></sequence></complexType>
        </schema>`,
    });
    assert.equal((await read()).ports.length, 1);
  });

  it("says which file is missing, or broken", async () => {
    await write({ "main.wsdl": main(include("gone.xsd")) });
    await assert.rejects(read(), {
      code: "SOAP_WSDL_INVALID",
      message: /gone\.xsd: it cannot be read/,
    });
    await write({ "gone.xsd": "<xs:schema" });
    await assert.rejects(read(), {
      code: "SOAP_WSDL_INVALID",
      message: /gone\.xsd: .*well-formed/,
    });
    await write({ "gone.xsd": '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>' });
    await assert.rejects(read(), { code: "SOAP_WSDL_INVALID", message: /document type/ });
  });

  it("does not follow documents without end", async () => {
    const files = Array.from(
      { length: 300 },
      (_, index) =>
        [
          `f${index}.xsd`,
          `<xs:schema ${xs} targetNamespace="urn:t">${include(`f${index + 1}.xsd`)}</xs:schema>`,
        ] as const,
    );
    await write({ "main.wsdl": main(include("f0.xsd")), ...Object.fromEntries(files) });
    await assert.rejects(read(), { code: "SOAP_WSDL_INVALID" });
  });
});

/** One element of an XML document. Names are resolved: what prefixes stood in the text is kept only for error messages. */
export interface XmlElement {
  /** Local name. */
  readonly name: string;
  /** Namespace URI; empty for none. */
  readonly namespace: string;
  readonly attributes: readonly XmlAttribute[];
  /** Elements and text in order; adjacent text is one string, CDATA is text, comments are left out. */
  readonly children: readonly XmlNode[];
  /** Prefixes declared on this very element: prefix (empty for the default) -> URI. */
  readonly declarations: ReadonlyMap<string, string>;
}

export type XmlNode = XmlElement | string;

export interface XmlAttribute {
  readonly name: string;
  /** Empty for attributes without a prefix. */
  readonly namespace: string;
  readonly value: string;
}

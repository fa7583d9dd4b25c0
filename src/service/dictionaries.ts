/** The Dictionary objects of one configuration. */
export interface Dictionaries {
  /**
   * The `to` system's word for what the `from` system calls `value`; undefined when the dictionary
   * does not know it. Throws DICTIONARY_UNKNOWN with the nearest name.
   */
  translate(dictionary: string, word: Translation): string | undefined;
}

export interface Translation {
  /** A system, such as `crm`. */
  readonly from: string;
  readonly to: string;
  readonly value: string;
}

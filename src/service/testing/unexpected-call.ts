/** A service did what its test has no answer for. It fails the test even when it is caught. */
export class UnexpectedCall extends Error {
  override readonly name = "UnexpectedCall";

  /** `known`: what the test has answers for. */
  constructor(what: string, known: readonly string[]) {
    const list = known.length === 0 ? "nothing yet" : known.join(", ");
    super(`${what}, and the test has no answer for that; it has answers for: ${list}`);
  }
}

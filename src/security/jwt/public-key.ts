import { createPublicKey, type KeyObject } from "node:crypto";
import { z } from "zod";

/** A JSON Web Key with the members that public keys have; anything secret is refused. */
const publicJwk = z.looseObject({ kty: z.enum(["RSA", "EC", "OKP"]) }).refine(
  (key) => !("d" in key) && !("k" in key),
  "This is a private key; give its public half",
);

/** Reads PEM (SPKI, or X.509) or a JSON Web Key. Throws an Error that says why not. */
export function parsePublicKey(text: string): KeyObject {
  if (text.includes("PRIVATE KEY")) throw new Error("This is a private key; give its public half");
  if (!text.trimStart().startsWith("{")) return createPublicKey(text);
  const result = publicJwk.safeParse(JSON.parse(text));
  if (!result.success) throw new Error(result.error.issues[0]?.message);
  return createPublicKey({ key: result.data, format: "jwk" });
}

/** Why a text is no public key; undefined when it is one. Quotes nothing of it. */
export function publicKeyProblem(text: string): string | undefined {
  try {
    parsePublicKey(text);
    return undefined;
  } catch {
    return text.includes("PRIVATE KEY") || /"(d|k)"\s*:/.test(text)
      ? "This is a private key; give its public half"
      : "This is neither a public key in PEM nor a JSON Web Key (RSA, EC or OKP)";
  }
}

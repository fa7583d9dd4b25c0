import { type Authenticator, type Member, securityDriver } from "../authenticator.ts";
import type { Principal } from "../principal.ts";
import { SeenCredentials } from "../seen-credentials.ts";
import { type CertificateFacts, normalName, parseCertificateField } from "./certificate.ts";
import { clientCertificate, type ClientCertificateSpec } from "./index.ts";

interface Rules {
  readonly spec: ClientCertificateSpec;
  readonly alternativeNames: ReadonlySet<string> | undefined;
  readonly fingerprints: ReadonlySet<string> | undefined;
}

/** Certificates that were read and are remembered; they are not secret. */
const certificatesMax = 1_000;

/** Checks ClientCertificate definitions. Each certificate is read and judged once. */
export const driver = securityDriver<Rules>({
  prepare(object) {
    const spec = clientCertificate.schema.parse(object.spec);
    const { alternativeNames, fingerprints } = spec;
    return {
      spec,
      alternativeNames: alternativeNames && new Set(alternativeNames.map(normalName)),
      fingerprints: fingerprints &&
        new Set(fingerprints.map((text) => text.replaceAll(":", "").toLowerCase())),
    };
  },
  combine(members): Authenticator {
    const judged = new SeenCredentials<Judgement>(certificatesMax);
    return {
      challenges: ["ClientCertificate"],
      schemes: [{ name: "ClientCertificate", scheme: { type: "mutualTLS" } }],
      check(request) {
        const field = request.clientCertificate();
        if (field === undefined) return undefined;
        const known = judged.get(field);
        const judgement = known ?? judge(members, field);
        if (known === undefined) judged.set(field, judgement);
        // Every time: connections, and what is remembered, outlive certificates.
        const now = Date.now();
        const isValid = judgement.notBefore <= now && now <= judgement.notAfter;
        return isValid ? judgement.principal : undefined;
      },
    };
  },
});

interface Judgement {
  readonly principal: Principal | undefined;
  readonly notBefore: number;
  readonly notAfter: number;
}

const nobody: Judgement = { principal: undefined, notBefore: 0, notAfter: 0 };

function judge(members: readonly Member<Rules>[], field: string): Judgement {
  const facts = parseCertificateField(field);
  const member = facts && members.find(({ prepared }) => fits(prepared, facts));
  if (facts === undefined || member === undefined) return nobody;
  const { notBefore, notAfter, subjectText } = facts;
  return { principal: { ...member.principal, subject: subjectText }, notBefore, notAfter };
}

function fits({ spec, alternativeNames, fingerprints }: Rules, facts: CertificateFacts): boolean {
  return hasFields(spec.subject, facts.subject) && hasFields(spec.issuer, facts.issuer) &&
    (alternativeNames === undefined ||
      facts.alternativeNames.some((name) => alternativeNames.has(name))) &&
    (fingerprints === undefined || fingerprints.has(facts.fingerprint));
}

function hasFields(
  wanted: Readonly<Record<string, string>> | undefined,
  found: (field: string) => readonly string[],
): boolean {
  return Object.entries(wanted ?? {}).every(([field, value]) => found(field).includes(value));
}

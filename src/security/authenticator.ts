import type { StoredObject } from "../catalog/kind.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { XmlElement } from "../xml/element.ts";
import type { ClusterKey } from "./cluster-key.ts";
import type { FailureLimit } from "./failure-limit.ts";
import type { PasswordChecks } from "./password-checks.ts";
import type { Principal } from "./principal.ts";
import type { ReplayStore } from "./ws-security/replay-memory.ts";

/** What a security definition may look at before the body has come. */
export interface SecurityRequest {
  readonly headers: Headers;
  /** Where the request comes from, looked up only when something has to be counted against it. */
  readonly remoteAddress: string;
  /** A query parameter, decoded; undefined when it is missing or stands there more than once. */
  query(name: string): string | undefined;
  /**
   * The client's certificate as a `Client-Cert` field (RFC 9440), from a hop that is trusted to
   * have checked it; undefined when there is none, whatever the client itself sent.
   */
  clientCertificate(): string | undefined;
}

/** How clients show who they are, as an OpenAPI security scheme. */
export interface SecurityScheme {
  /** Letters, digits, dots, dashes and underscores; equal names are equal schemes. */
  readonly name: string;
  readonly scheme: Readonly<Record<string, string>>;
}

/** A message whose credentials are inside it. */
export interface SecuredMessage {
  readonly envelope: XmlElement;
  /** As it came, for signatures. */
  readonly text: string;
}

type Outcome = Principal | undefined | Promise<Principal | undefined>;

/**
 * The definitions of one kind that protect one channel, as one check: any of them suffices. A check
 * waits only where it must. It answers undefined for whatever is wrong with the credentials, and
 * throws only what the client may be told: that it has to wait.
 */
export interface Authenticator {
  /** For `WWW-Authenticate`. */
  readonly challenges?: readonly string[];
  /** For documents. */
  readonly schemes?: readonly SecurityScheme[];
  /** True when it reads the `Authorization` header, of which there may only be one then. */
  readonly readsAuthorization?: boolean;
  /** Query parameters that carry credentials, which nobody behind the guard may see. */
  readonly queryNames?: readonly string[];
  check(request: SecurityRequest): Outcome;
}

/** The same for kinds whose credentials are in the message. */
export interface MessageAuthenticator {
  readonly challenges?: readonly string[];
  /** For documents. */
  readonly schemes?: readonly SecurityScheme[];
  checkMessage(message: SecuredMessage, request: SecurityRequest): Outcome;
}

/** One definition among those that protect a channel. */
export interface Member<Prepared> {
  readonly prepared: Prepared;
  /** Whom the definition lets in, with its own roles and those of the groups it came through. */
  readonly principal: Principal;
}

/** What checks have in common. */
export interface SecurityTools {
  readonly key: ClusterKey;
  readonly checks: PasswordChecks;
  /** Signatures that were checked in vain: one costs as much as twenty requests. */
  readonly signatureFailures: FailureLimit;
  readonly logger: Logger;
  /** What may come only once in the whole cluster; absent: every process remembers for itself. */
  readonly replays?: ReplayStore | undefined;
}

/** Brings the security definitions of one kind to life. */
export interface SecurityDriver<Prepared = unknown> {
  /**
   * Reads one object, once for each of its revisions; what it remembers of credentials belongs in
   * the answer. Throws SECURITY_*, or a zod error for a broken spec.
   */
  prepare(object: StoredObject, tools: SecurityTools): Prepared;
  /** One check out of any number of definitions. */
  combine(
    members: readonly Member<Prepared>[],
    tools: SecurityTools,
  ): Authenticator | MessageAuthenticator;
}

/** Forgets what a driver prepares, so that drivers of all kinds fit into one table. */
export function securityDriver<Prepared>(driver: SecurityDriver<Prepared>): SecurityDriver {
  // Sound because `combine` is only ever given what `prepare` of the same driver made.
  return driver as SecurityDriver;
}

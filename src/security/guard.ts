import type {
  Authenticator,
  MessageAuthenticator,
  SecuredMessage,
  SecurityRequest,
  SecurityScheme,
} from "./authenticator.ts";
import type { Principal } from "./principal.ts";

type Outcome = Principal | undefined | Promise<Principal | undefined>;

/** The definitions that protect one channel; any of them suffices. */
export interface Guard {
  /** For `WWW-Authenticate`, when nobody is let in. */
  readonly challenge: string;
  /** How clients show who they are, for documents. */
  readonly schemes: readonly SecurityScheme[];
  /** True when credentials may be in the `Authorization` header. */
  readonly readsAuthorization: boolean;
  /** Query parameters that carry credentials, which nobody behind the guard may see. */
  readonly queryNames: readonly string[];
  /** True when some credentials are in the message, so that `check` alone is not the answer. */
  readonly needsMessage: boolean;
  /**
   * Who sends this request; undefined when that is nobody known. Waits only where it must. Throws
   * REQUEST_TOO_MANY_ATTEMPTS, REQUEST_AUTHENTICATION_BUSY and REQUEST_AUTHENTICATION_UNAVAILABLE.
   */
  check(request: SecurityRequest): Outcome;
  /** Who sends this message, by what is in it; undefined when that is nobody known. */
  checkMessage(message: SecuredMessage, request: SecurityRequest): Outcome;
}

/** Makes one guard out of the checks of every kind. */
export function compileGuard(
  authenticators: readonly (Authenticator | MessageAuthenticator)[],
): Guard {
  const heads = authenticators.filter((one): one is Authenticator => "check" in one);
  const messages = authenticators.filter(
    (one): one is MessageAuthenticator => "checkMessage" in one,
  );
  return {
    challenge: authenticators.toReversed().flatMap(({ challenges = [] }) => challenges).join(", "),
    schemes: authenticators.flatMap(({ schemes = [] }) => schemes),
    readsAuthorization: heads.some((one) => one.readsAuthorization === true),
    queryNames: heads.flatMap(({ queryNames = [] }) => queryNames),
    needsMessage: messages.length > 0,
    // Most channels have one kind of definition, and nothing to choose.
    check: heads.length === 1
      ? (request) => heads[0]!.check(request)
      : (request) => firstOf(heads, (one) => one.check(request)),
    checkMessage: (message, request) =>
      firstOf(messages, (one) => one.checkMessage(message, request)),
  };
}

/** The first principal. What one check throws counts only when no other one lets the client in. */
function firstOf<T>(checks: readonly T[], run: (one: T) => Outcome): Outcome {
  let refusal: { readonly error: unknown } | undefined;
  for (let index = 0; index < checks.length; index++) {
    try {
      const found = run(checks[index]!);
      if (found instanceof Promise) return firstAfter(found, checks.slice(index + 1), run, refusal);
      if (found !== undefined) return found;
    } catch (error) {
      refusal ??= { error };
    }
  }
  if (refusal !== undefined) throw refusal.error;
  return undefined;
}

async function firstAfter<T>(
  waiting: Promise<Principal | undefined>,
  others: readonly T[],
  run: (one: T) => Outcome,
  before: { readonly error: unknown } | undefined,
): Promise<Principal | undefined> {
  let refusal = before;
  try {
    const found = await waiting;
    if (found !== undefined) return found;
  } catch (error) {
    refusal ??= { error };
  }
  const found = await firstOf(others, run);
  if (found === undefined && refusal !== undefined) throw refusal.error;
  return found;
}

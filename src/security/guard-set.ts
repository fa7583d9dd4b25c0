import type { StoredObject } from "../catalog/kind.ts";
import { PlatformError } from "../errors/platform-error.ts";
import type { Member, SecurityDriver, SecurityTools } from "./authenticator.ts";
import { securityDrivers } from "./drivers.ts";
import { FailureLimit } from "./failure-limit.ts";
import { compileGuard, type Guard } from "./guard.ts";
import { PasswordChecks } from "./password-checks.ts";
import { rolesOf } from "./roles.ts";
import { securityGroup } from "./security-group.ts";

/** One definition, ready to be put into guards. */
export type GuardDefinition = CheckingDefinition | GroupDefinition;

interface CheckingDefinition {
  readonly kind: string;
  readonly name: string;
  readonly roles: readonly string[];
  readonly driver: SecurityDriver;
  readonly prepared: unknown;
}

interface GroupDefinition {
  readonly kind: string;
  readonly name: string;
  readonly roles: readonly string[];
  readonly members: readonly string[];
}

/** For each caller: a burst that honest clients never make, then 50 a second. */
const signatureLimit = { failuresMax: 200, refillMs: 20 };

/**
 * Prepares security definitions, each once for as long as it stays the same, so that what was
 * found out about credentials is kept from one configuration to the next.
 */
export class GuardSource {
  readonly #tools: SecurityTools;
  readonly #drivers = new Map<string, SecurityDriver>();
  readonly #prepared = new WeakMap<StoredObject, GuardDefinition>();
  #compiled: ReadonlyMap<string, CompiledGuard> = new Map();

  constructor({ key, logger, replays }: Pick<SecurityTools, "key" | "logger" | "replays">) {
    const signatureFailures = new FailureLimit(signatureLimit);
    this.#tools = { key, logger, checks: new PasswordChecks(), signatureFailures, replays };
  }

  /** True for kinds that this source prepares. */
  takes(kind: string): boolean {
    return kind === securityGroup.kind || securityDrivers.has(kind);
  }

  /** Rejects with SECURITY_*, or a zod error for a broken spec. */
  async prepare(object: StoredObject): Promise<GuardDefinition> {
    const known = this.#prepared.get(object);
    if (known !== undefined) return known;
    const { kind, name, spec } = object;
    const named = { kind, name, roles: rolesOf(spec) };
    let definition: GuardDefinition;
    if (kind === securityGroup.kind) {
      definition = { ...named, members: securityGroup.schema.parse(spec).members };
    } else {
      const driver = await this.#driver(kind);
      definition = { ...named, driver, prepared: driver.prepare(object, this.#tools) };
    }
    this.#prepared.set(object, definition);
    return definition;
  }

  /** The guards of one configuration. */
  guards(definitions: Iterable<GuardDefinition>): GuardSet {
    const set = new GuardSet(definitions, { tools: this.#tools, before: this.#compiled });
    this.#compiled = set.compiled;
    return set;
  }

  async #driver(kind: string): Promise<SecurityDriver> {
    const known = this.#drivers.get(kind);
    if (known !== undefined) return known;
    const driver = await securityDrivers.get(kind)!(); // asked for kinds that have one
    this.#drivers.set(kind, driver);
    return driver;
  }
}

interface CompiledGuard {
  readonly members: readonly GuardMember[];
  readonly guard: Guard;
}

interface GuardMember {
  readonly definition: CheckingDefinition;
  /** Sorted, each once. */
  readonly roles: readonly string[];
}

/** The guards of one configuration; channels with the same list share one. */
export class GuardSet {
  /** What has been compiled so far, by list of names. */
  readonly compiled = new Map<string, CompiledGuard>();
  readonly #tools: SecurityTools;
  readonly #before: ReadonlyMap<string, CompiledGuard>;
  readonly #definitions: ReadonlyMap<string, readonly GuardDefinition[]>;

  /** `before`: the guards of the configuration before, taken over where nothing changed. */
  constructor(
    definitions: Iterable<GuardDefinition>,
    { tools, before }: {
      readonly tools: SecurityTools;
      readonly before: ReadonlyMap<string, CompiledGuard>;
    },
  ) {
    this.#tools = tools;
    this.#before = before;
    // Two kinds may have a definition of one name; a channel that names it means either.
    this.#definitions = Map.groupBy(definitions, ({ name }) => name);
  }

  /** Undefined for "none". Throws CHANNEL_UNUSABLE for a definition that is missing or failed. */
  guard(names: "none" | readonly string[]): Guard | undefined {
    if (names === "none") return undefined;
    const id = JSON.stringify(names);
    const known = this.compiled.get(id);
    if (known !== undefined) return known.guard;
    const members = this.#members(names);
    const before = this.#before.get(id);
    const compiled = before !== undefined && sameMembers(before.members, members)
      ? before
      : { members, guard: compileMembers(members, this.#tools) };
    this.compiled.set(id, compiled);
    return compiled.guard;
  }

  /** The definitions behind the names, those of groups included. */
  #members(names: readonly string[]): readonly GuardMember[] {
    for (const name of names) {
      if (this.#definitions.has(name)) continue;
      const reason = `The security definition "${name}" is missing or failed`;
      throw new PlatformError("CHANNEL_UNUSABLE", { reason });
    }
    const found = new Map<CheckingDefinition, Set<string>>();
    const seen = new Map<GroupDefinition, Set<string>>();
    const visit = (name: string, through: readonly string[]): void => {
      // A member that failed is missing here: its clients stay outside, its neighbours do not.
      for (const definition of this.#definitions.get(name) ?? []) {
        const roles = [...new Set([...through, ...definition.roles])].sort();
        if (!("members" in definition)) addTo(found, definition, roles);
        else if (isNew(seen, definition, roles.join(" "))) {
          for (const member of definition.members) visit(member, roles);
        }
      }
    };
    for (const name of names) visit(name, []);
    return [...found].map(([definition, roles]) => ({ definition, roles: [...roles].sort() }));
  }
}

function addTo<K>(sets: Map<K, Set<string>>, key: K, values: readonly string[]): void {
  const set = sets.get(key) ?? new Set<string>();
  for (const value of values) set.add(value);
  sets.set(key, set);
}

/** A group is walked once for each set of roles that leads to it: cycles and diamonds end. */
function isNew<K>(sets: Map<K, Set<string>>, key: K, value: string): boolean {
  if (sets.get(key)?.has(value) === true) return false;
  addTo(sets, key, [value]);
  return true;
}

function sameMembers(a: readonly GuardMember[], b: readonly GuardMember[]): boolean {
  return a.length === b.length && a.every(({ definition, roles }, index) => {
    const other = b[index]!; // as long as `a`
    return other.definition === definition && other.roles.join(" ") === roles.join(" ");
  });
}

function compileMembers(members: readonly GuardMember[], tools: SecurityTools): Guard {
  const byKind = Map.groupBy(members, ({ definition }) => definition.kind);
  const authenticators = [...securityDrivers.keys()].flatMap((kind) => {
    const [first, ...others] = byKind.get(kind) ?? [];
    if (first === undefined) return [];
    return [first.definition.driver.combine([first, ...others].map(toMember), tools)];
  });
  return compileGuard(authenticators);
}

function toMember({ definition, roles }: GuardMember): Member<unknown> {
  const { kind, name, prepared } = definition;
  // Every request of this client gets this very object: what services do to it must not last.
  const principal = Object.freeze({ kind, name, roles: Object.freeze([...roles]) });
  return { prepared, principal };
}

import { UnwritableError } from "../../formats/format.ts";
import type { XsdFields } from "./fields.ts";
import type { XsdElement, XsdGroup, XsdParticle } from "./model.ts";
import { at } from "./pointer.ts";

/** Writes one element around a value. */
export interface ElementWriter {
  element(element: XsdElement, value: unknown): string;
}

/** Writes the members of one object in the order of its type. */
export class ParticleWriter {
  readonly #encoder: ElementWriter;
  readonly #object: Readonly<Record<string, unknown>>;
  readonly #fields: XsdFields["fields"];
  /** How many items of each member have been written. */
  readonly #written = new Map<string, number>();

  constructor(
    encoder: ElementWriter,
    object: Readonly<Record<string, unknown>>,
    fields: XsdFields["fields"],
  ) {
    this.#encoder = encoder;
    this.#object = object;
    this.#fields = fields;
  }

  write(particles: readonly XsdParticle[]): string {
    const text = particles.map((particle) => this.#particle(particle)).join("");
    for (const [key, count] of this.#written) {
      const left = this.#items(key).length - count;
      if (left > 0) throw new UnwritableError(`/${key}`, `It has ${left} items too many`);
    }
    return text;
  }

  #particle(particle: XsdParticle): string {
    switch (particle.kind) {
      case "wildcard":
        return "";
      case "element":
        return this.#element(particle);
      default:
        return this.#group(particle);
    }
  }

  #element(element: XsdElement): string {
    const { name: key, min, max, fixed } = element;
    const count = this.#written.get(key) ?? 0;
    let taken = this.#items(key).slice(count, count + max);
    if (taken.length === 0 && min === 1 && max === 1) taken = [fixed];
    this.#written.set(key, count + taken.length);
    if (taken.length < min) {
      throw new UnwritableError(`/${key}`, `It has ${taken.length} items, and ${min} at least`);
    }
    return taken.map((item, index) =>
      at(
        key,
        () =>
          max > 1
            ? at(String(index), () => this.#encoder.element(element, item ?? null))
            : item === null && min === 0 && !element.isNillable
            ? ""
            : this.#encoder.element(element, item),
      )
    ).join("");
  }

  #group(group: XsdGroup): string {
    let text = "";
    for (let count = 0; count < group.max; count++) {
      const hasMore = this.#hasLeft(group);
      if (!hasMore && (count > 0 || group.min === 0)) break;
      const before = this.#total();
      text += group.kind === "choice"
        ? this.#choice(group)
        : group.particles.map((one) => this.#particle(one)).join("");
      if (this.#total() === before) break;
    }
    return text;
  }

  #choice({ particles, max }: XsdGroup): string {
    const given = particles.filter((one) => this.#hasLeft(one));
    const [first, second] = given;
    if (first === undefined) {
      if (particles.length === 0 || particles.some(({ min }) => min === 0)) return "";
      const names = particles.flatMap(namesOf).map((name) => `"${name}"`).join(", ");
      throw new UnwritableError("", `It has none of ${names}`);
    }
    if (second !== undefined && max === 1) {
      const names = given.flatMap(namesOf).filter((name) => this.#isLeft(name));
      throw new UnwritableError("", `It has more than one of ${[...new Set(names)].join(", ")}`);
    }
    return this.#particle(first);
  }

  #hasLeft(particle: XsdParticle): boolean {
    switch (particle.kind) {
      case "wildcard":
        return false;
      case "element":
        return this.#isLeft(particle.name);
      default:
        return particle.particles.some((one) => this.#hasLeft(one));
    }
  }

  #isLeft(key: string): boolean {
    return this.#items(key).length > (this.#written.get(key) ?? 0);
  }

  #items(key: string): readonly unknown[] {
    const value = Object.hasOwn(this.#object, key) ? this.#object[key] : undefined;
    if (value === undefined) return [];
    if (this.#fields.get(key)?.isList !== true) return [value];
    return Array.isArray(value) ? value : value instanceof Set ? [...value] : [value];
  }

  #total(): number {
    let total = 0;
    for (const count of this.#written.values()) total += count;
    return total;
  }
}

function namesOf(particle: XsdParticle): readonly string[] {
  if (particle.kind === "wildcard") return [];
  return particle.kind === "element" ? [particle.name] : particle.particles.flatMap(namesOf);
}

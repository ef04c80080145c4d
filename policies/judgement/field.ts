import { UNKNOWN } from "./plain";
import type { Plain } from "./plain";

/** What a comparison can be made with. */
export type Scalar = boolean | number | string;

/** A value that no rule can judge: unknown at preview, or not of the shape that the API gives it. Always a violation, never an exemption. */
export class Unjudgeable extends Error {
  constructor(
    readonly path: string,
    readonly problem: string,
    readonly mend: string,
  ) {
    super(`${path}: ${problem}; ${mend}`);
    this.name = "Unjudgeable";
  }
}

/** Where a field stands: the one above, and the key or index below it. */
interface Place {
  readonly above: Field;
  readonly key: string | number;
}

/**
 * One place in a resource's properties, with its path.
 *
 * Comparisons (`is`, `isAbsentOr`, `isOneOf`) are false for an unknown, so a rule that states what *must* be refuses unknowns by itself. Readers
 * (`text`, `items`, …) throw {@link Unjudgeable} on an unknown or on a value of another shape.
 */
export class Field {
  constructor(
    private readonly value: Plain | undefined,
    private readonly place: string | Place = "",
  ) {}

  /** The keys that lead to it, as `spec.containers[0].image`. Put together when it is asked for, which is for few fields of many. */
  get path(): string {
    if (typeof this.place === "string") return this.place;
    const { above, key } = this.place;
    const path = above.path;
    if (typeof key === "number") return `${path}[${String(key)}]`;
    if (path === "") return key;
    return /^[\w-]+$/.test(key) ? `${path}.${key}` : `${path}["${key}"]`;
  }

  /** The value itself; null where it is absent. */
  get plain(): Plain {
    return this.value ?? null;
  }

  get isAbsent(): boolean {
    return this.value === undefined || this.value === null;
  }

  get isUnknown(): boolean {
    return this.value === UNKNOWN;
  }

  get isList(): boolean {
    return Array.isArray(this.value);
  }

  get isMap(): boolean {
    return typeof this.value === "object" && this.value !== null && !Array.isArray(this.value);
  }

  get isText(): boolean {
    return typeof this.value === "string";
  }

  /** The field under these keys; absent below an absent one, unknown below an unknown one. */
  at(...keys: readonly string[]): Field {
    // eslint-disable-next-line @typescript-eslint/no-this-alias
    let field: Field = this;
    for (const key of keys) field = field.child(key);
    return field;
  }

  is(expected: Scalar): boolean {
    return this.value === expected;
  }

  isAbsentOr(expected: Scalar): boolean {
    return this.isAbsent || this.is(expected);
  }

  isOneOf(expected: readonly Scalar[]): boolean {
    return expected.some((candidate) => this.is(candidate));
  }

  /** True for a missing field, `{}`, `[]` and `""`. */
  get isEmpty(): boolean {
    if (this.isAbsent || this.value === "") return true;
    return typeof this.value === "object" && this.value !== null && Object.keys(this.value).length === 0;
  }

  /** @throws Unjudgeable */
  text(): string | undefined {
    const value = this.known();
    if (value === undefined || typeof value === "string") return value;
    return this.fail("is not a string");
  }

  /** @throws Unjudgeable */
  number(): number | undefined {
    const value = this.known();
    if (value === undefined || typeof value === "number") return value;
    return this.fail("is not a number");
  }

  /** Elements of a list; none where it is absent. @throws Unjudgeable */
  items(): Field[] {
    const value = this.known();
    if (value === undefined) return [];
    if (!Array.isArray(value)) return this.fail("is not a list");
    return value.map((item: Plain, key) => new Field(item, { above: this, key }));
  }

  /** Strings of a list; none where it is absent. @throws Unjudgeable */
  texts(): string[] {
    return this.items().map((item) => item.text() ?? item.fail("is empty"));
  }

  /** Keys and fields of a map; none where it is absent. @throws Unjudgeable */
  entries(): [string, Field][] {
    const value = this.known();
    if (value === undefined) return [];
    if (typeof value !== "object" || Array.isArray(value)) return this.fail("is not a map");
    return Object.keys(value).map((key) => [key, this.child(key)]);
  }

  /** @throws Unjudgeable */
  keys(): string[] {
    return this.entries().map(([key]) => key);
  }

  has(key: string): boolean {
    return !this.child(key).isAbsent;
  }

  /** Every leaf below, unknown ones too, in document order. */
  leaves(): Field[] {
    const found: Field[] = [];
    this.collectLeaves(found);
    return found;
  }

  /** The value in a message, for fields that hold names and numbers; never call it on one that may hold a secret. */
  shown(): string {
    if (this.isAbsent) return "missing";
    if (this.value === UNKNOWN) return "not known at preview";
    const text = typeof this.value === "string" ? this.value : JSON.stringify(this.value);
    return `\`${text.length > 90 ? `${text.slice(0, 87)}…` : text}\``;
  }

  private child(key: string): Field {
    const place = { above: this, key };
    const value = this.value;
    if (value === UNKNOWN) return new Field(UNKNOWN, place);
    if (value === undefined || value === null) return new Field(undefined, place);
    if (typeof value !== "object" || Array.isArray(value)) return this.fail("is not a map");
    const container = value as Readonly<Record<string, Plain>>;
    return new Field(Object.hasOwn(container, key) ? container[key] : undefined, place);
  }

  private collectLeaves(found: Field[]): void {
    if (this.isList) for (const item of this.items()) item.collectLeaves(found);
    else if (this.isMap) for (const [, field] of this.entries()) field.collectLeaves(found);
    else found.push(this);
  }

  private known(): Exclude<Plain, typeof UNKNOWN | null> | undefined {
    if (this.value === UNKNOWN) {
      throw new Unjudgeable(
        this.path,
        "can't be known at preview",
        "give it as a plain value, so that it can be judged before it is deployed",
      );
    }
    return this.value ?? undefined;
  }

  private fail(problem: string): never {
    throw new Unjudgeable(this.path, problem, "give it the shape that the API documents");
  }
}

export type Labels = Readonly<Record<string, string>>;

export type Operator = "In" | "NotIn" | "Exists" | "DoesNotExist";

export interface Requirement {
  readonly key: string;
  readonly operator: Operator;
  /** Empty for `Exists` and `DoesNotExist`. */
  readonly values: readonly string[];
}

/**
 * A label selector: all of its requirements hold. Without a requirement it selects everything
 * (https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors).
 */
export class Selector {
  /** Equal for selectors that are written alike. */
  readonly key: string;

  constructor(readonly requirements: readonly Requirement[]) {
    this.key = JSON.stringify(requirements.map(({ key, operator, values }) => [key, operator, ...values]));
  }

  static readonly everything = new Selector([]);

  matches(labels: Labels): boolean {
    return this.requirements.every(({ key, operator, values }) => {
      const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
      switch (operator) {
        case "In":
          return value !== undefined && values.includes(value);
        case "NotIn":
          return value === undefined || !values.includes(value);
        case "Exists":
          return value !== undefined;
        case "DoesNotExist":
          return value === undefined;
      }
    });
  }

  /** Whether there are labels that the selector selects. */
  get isSatisfiable(): boolean {
    return [...new Set(this.requirements.map(({ key }) => key))].every((key) => {
      const values = this.valuesOf(key);
      const about = this.requirements.filter((requirement) => requirement.key === key);
      const absent = about.every(({ operator }) => operator === "DoesNotExist" || operator === "NotIn");
      const present = about.every(({ operator }) => operator !== "DoesNotExist");
      return absent || (present && (values === undefined || values.length > 0));
    });
  }

  /** The values of which a label must have one; undefined where it may have others, or be missing. */
  valuesOf(key: string): readonly string[] | undefined {
    const about = this.requirements.filter((requirement) => requirement.key === key);
    const listed = about.find(({ operator }) => operator === "In")?.values;
    return listed?.filter((value) =>
      about.every(({ operator, values }) =>
        operator === "In" ? values.includes(value) : operator === "NotIn" ? !values.includes(value) : true,
      ),
    );
  }

  /** Whether whatever the selector selects bears these labels. */
  implies(labels: Labels): boolean {
    return Object.entries(labels).every(([key, value]) => {
      const values = this.valuesOf(key);
      return values?.every((candidate) => candidate === value) === true;
    });
  }

  /** `app=web, tier in (a, b), !debug`; `` for the empty one. */
  toString(): string {
    return this.requirements
      .map(({ key, operator, values }) => {
        switch (operator) {
          case "In":
            return values.length === 1 ? `${key}=${values.join("")}` : `${key} in (${values.join(", ")})`;
          case "NotIn":
            return `${key} notin (${values.join(", ")})`;
          case "Exists":
            return key;
          case "DoesNotExist":
            return `!${key}`;
        }
      })
      .join(", ");
  }
}

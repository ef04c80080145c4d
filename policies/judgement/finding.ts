import type { Field } from "./field";

/** One violation: what is wrong, where, and the mend. None of the three may hold a value that could be a secret. */
export interface Finding {
  /** Path in the object; empty for the object as a whole. */
  readonly path: string;
  readonly problem: string;
  readonly mend: string;
}

/** Collects what a rule finds in one object. */
export class Findings {
  readonly list: Finding[] = [];

  add(where: Field | string, problem: string, mend: string): void {
    this.list.push({ path: typeof where === "string" ? where : where.path, problem, mend });
  }

  /** Adds a finding unless `holds`. */
  require(holds: boolean, where: Field | string, problem: string, mend: string): void {
    if (!holds) this.add(where, problem, mend);
  }
}

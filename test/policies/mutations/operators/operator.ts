import type { Plain } from "../../../../policies/judgement/plain";
import type { Path, Place } from "../place";

export type OperatorName = "widen" | "drop" | "add" | "swap" | "rename" | "move" | "duplicate";

/** One change of a document. */
export interface Edit {
  /** What it does there: `to everything`, `another`. Edits of the same operator at one place differ in it. */
  readonly how: string;
  readonly path: Path;
  /** Undefined: it is taken out. */
  readonly value: Plain | undefined;
}

/** What an operator knows besides the place. */
export interface Context {
  /** The text with another service's name in place of each, another zone's in place of each. */
  readonly anotherOf: (text: string) => readonly string[];
  /** Whether a value may be one that only the update knows: in a plan that is not yet carried out, and not within a text. */
  readonly hasUnknowns: boolean;
}

/** Changes what stands at a place, in every way that there applies. */
export type Operator = (place: Place, context: Context) => Iterable<Edit>;

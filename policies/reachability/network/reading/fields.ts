import { Unjudgeable } from "../../../judgement/field";
import type { Field } from "../../../judgement/field";

/** Refuses fields that the evaluator doesn't model: what it can't read might change the answer. @throws Unjudgeable */
export function refuseUnknownFields(field: Field, known: readonly string[]): void {
  for (const [key, value] of field.entries()) {
    if (!value.isAbsent && !known.includes(key))
      throw new Unjudgeable(value.path, "is no field that the evaluator models", `use ${known.join(", ")} alone`);
  }
}

/** A string that must be there; it may be empty. @throws Unjudgeable */
export function presentText(field: Field): string {
  const text = field.text();
  if (text === undefined) throw new Unjudgeable(field.path, "is missing", "give it as a plain value");
  return text;
}

/** A string that must be there and say something. @throws Unjudgeable */
export function requiredText(field: Field): string {
  const text = presentText(field);
  if (text === "") throw new Unjudgeable(field.path, "is empty", "give it as a plain value");
  return text;
}

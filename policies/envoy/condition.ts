import type { Field } from "../judgement/field";
import type { Scope } from "./scope";

/** `request.time < timestamp("…")`, as an expression tree. */
const BEFORE = {
  call_expr: {
    function: "_<_",
    args: [
      { select_expr: { operand: { ident_expr: { name: "request" } }, field: "time" } },
      { call_expr: { function: "timestamp", args: [{ const_expr: { string_value: "" } }] } },
    ],
  },
} as const;

const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/;

/**
 * Checks the condition of a policy: the end of a grant and nothing else. A condition can only take away from what a policy allows, and one that can't be read
 * says something that neither the ceiling nor a reviewer knows of.
 */
export function checkCondition(condition: Field, { findings }: Scope): void {
  if (condition.isAbsent) return;
  findings.require(
    fits(condition, BEFORE),
    condition,
    "the policy's condition is something else than the end of a grant",
    'compare request.time with a timestamp in UTC, as `request.time < timestamp("2026-12-31T18:00:00Z")`, or take it out',
  );
}

type Shape = string | readonly Shape[] | { readonly [key: string]: Shape };

/** Whether a field has exactly this shape; the empty text stands for an instant. */
function fits(field: Field, shape: Shape): boolean {
  if (shape === "") return field.isText && INSTANT.test(field.text() ?? "");
  if (typeof shape === "string") return field.is(shape);
  if (isList(shape)) {
    const items = field.items();
    return items.length === shape.length && items.every((item, index) => fits(item, shape[index] ?? "-"));
  }
  const keys = Object.keys(shape);
  return field.keys().length === keys.length && keys.every((key) => fits(field.at(key), shape[key] ?? "-"));
}

function isList(shape: Shape): shape is readonly Shape[] {
  return Array.isArray(shape);
}

import { add, drop, duplicate, move, rename } from "./members";
import type { Operator, OperatorName } from "./operator";
import { swap, widen } from "./values";

export type { Context, Edit, OperatorName } from "./operator";

/** Every operator, by its name. */
export const OPERATORS: readonly (readonly [OperatorName, Operator])[] = [
  ["widen", widen],
  ["drop", drop],
  ["add", add],
  ["swap", swap],
  ["rename", rename],
  ["move", move],
  ["duplicate", duplicate],
];

/** Operators on what stands at a place. */
import { UNKNOWN } from "../../../../policies/judgement/plain";
import type { Plain } from "../../../../policies/judgement/plain";
import { isList, isMap } from "../place";
import type { Edit, Operator } from "./operator";

/** Another truth, another number, nothing, everything, another text, another party, something that can't be known. */
export const widen: Operator = function* ({ path, value }, { anotherOf, hasUnknowns }) {
  if (path.length === 0) return;
  const to = (how: string, after: Plain): Edit => ({ how, path, value: after });
  if (typeof value === "boolean") yield to(`to ${String(!value)}`, !value);
  if (typeof value === "number") {
    yield to("to more", value + 1);
    if (value !== 0) yield to("to zero", 0);
    if (value > 1) yield to("to less", value - 1);
  }
  if (typeof value === "string") {
    if (value !== "") yield to("to nothing", "");
    if (value !== "*") yield to("to everything", "*");
    yield to("to another", `${value}x`);
    if (/^\d+$/.test(value)) yield to("to more", String(Number(value) + 1));
    for (const other of anotherOf(value)) yield to("to another party's", other);
  }
  if (isList(value) && value.length > 0) yield to("to an empty one", []);
  if (isMap(value) && Object.keys(value).length > 0) yield to("to an empty one", {});
  if (hasUnknowns && value !== UNKNOWN && !isMap(value)) yield to("to an unknown", UNKNOWN);
};

/** What stands there in another object of the same kind; and in a map, two values each in the other's place. */
export const swap: Operator = function* ({ path, value, others }) {
  if (path.length > 0 && !isMap(value)) {
    for (const other of others.filter((candidate) => isList(candidate) === isList(value)).slice(0, 3))
      yield { how: "for another object's", path, value: other };
  }
  if (isList(value)) {
    for (const [index, item] of value.entries()) {
      const next = value[index + 1];
      if (next === undefined || JSON.stringify(next) === JSON.stringify(item)) continue;
      yield { how: `of ${String(index)} with the next`, path, value: value.toSpliced(index, 2, next, item) };
    }
  }
  if (isMap(value)) {
    const texts = Object.entries(value).filter(([, field]) => typeof field === "string");
    for (const [index, [key, field]] of texts.entries()) {
      const [other, otherField] = texts[index + 1] ?? [];
      if (other === undefined || otherField === undefined || otherField === field) continue;
      yield { how: `of ${key} with ${other}`, path, value: { ...value, [key]: otherField, [other]: field } };
    }
  }
};

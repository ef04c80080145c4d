import { Unjudgeable } from "../../../judgement/field";
import type { Field } from "../../../judgement/field";
import { Selector } from "../selector";
import type { Requirement } from "../selector";
import { presentText, refuseUnknownFields, requiredText } from "./fields";

/** Reads `{matchLabels, matchExpressions}`. A missing selector becomes an empty one; where that means something else, the caller asks first. @throws Unjudgeable */
export function readSelector(field: Field): Selector {
  refuseUnknownFields(field, ["matchLabels", "matchExpressions"]);
  const exact = field
    .at("matchLabels")
    .entries()
    .map(([key, value]): Requirement => ({ key, operator: "In", values: [presentText(value)] }));
  return new Selector([...exact, ...field.at("matchExpressions").items().map(readExpression)]);
}

function readExpression(field: Field): Requirement {
  refuseUnknownFields(field, ["key", "operator", "values"]);
  const key = requiredText(field.at("key"));
  const operator = requiredText(field.at("operator"));
  const values = field.at("values").texts();
  switch (operator) {
    case "In":
    case "NotIn":
      if (values.length > 0) return { key, operator, values };
      throw new Unjudgeable(field.path, `${operator} has no values`, "the API refuses that: list the values");
    case "Exists":
    case "DoesNotExist":
      if (values.length === 0) return { key, operator, values };
      throw new Unjudgeable(field.path, `${operator} has values`, "the API refuses that: take them out");
    default:
      throw new Unjudgeable(
        field.at("operator").path,
        `${field.at("operator").shown()} is no operator`,
        "use In, NotIn, Exists or DoesNotExist",
      );
  }
}

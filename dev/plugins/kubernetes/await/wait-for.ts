import { isProperties, type Value } from "../../protocol/values";
import type { KubeObject } from "../objects";
import { textAt } from "../objects";
import { condition } from "./conditions";
import { readyUnless, type Verdict } from "./verdict";

/** One condition of the annotation `pulumi.com/waitFor`. */
type Expectation = (object: KubeObject) => boolean;

/**
 * Reads the annotation: `condition=Ready`, `condition=Ready=False`, `jsonpath={.status.phase}=Running`, `jsonpath={.status.address}`,
 * or a JSON list of such. Of JSONPath, members and positions are known. Throws for anything else.
 */
export function parseWaitFor(annotation: string): (object: KubeObject) => Verdict {
  const expressions = expressionsOf(annotation);
  const expectations = expressions.map((text): readonly [string, Expectation] => [text, parseExpression(text)]);
  return (object) =>
    readyUnless(expectations.filter(([, holds]) => !holds(object)).map(([text]) => `${text} does not hold`));
}

function expressionsOf(annotation: string): readonly string[] {
  if (!annotation.startsWith("[")) {
    return [annotation];
  }
  const parsed: unknown = JSON.parse(annotation);
  if (!Array.isArray(parsed) || parsed.length === 0 || !parsed.every((entry) => typeof entry === "string")) {
    throw new Error("pulumi.com/waitFor: a list must hold at least one condition, and texts only");
  }
  return parsed;
}

function parseExpression(text: string): Expectation {
  const [, type, status = "True"] = /^condition=([^=]+)(?:=(.*))?$/.exec(text) ?? [];
  if (type !== undefined) {
    return (object) => textAt(condition(object, type), "status").toLowerCase() === status.toLowerCase();
  }
  const [, path, wanted] = /^jsonpath=\{((?:\.[\w-]+|\[\d+\])+)\}(?:=(.*))?$/.exec(text) ?? [];
  if (path === undefined) {
    throw new Error(
      `pulumi.com/waitFor: ${JSON.stringify(text)} is not understood; condition=<type>[=<status>] and jsonpath={.a.b[0]}[=<value>] are`,
    );
  }
  const steps = path.match(/[\w-]+/g) ?? [];
  return (object) => {
    const found = steps.reduce<Value | undefined>(step, object) ?? undefined;
    const text = typeof found === "string" ? found : JSON.stringify(found);
    return found !== undefined && (wanted === undefined || text === wanted);
  };
}

function step(value: Value | undefined, part: string): Value | undefined {
  if (Array.isArray(value)) {
    return value[Number(part)];
  }
  return isProperties(value) ? value[part] : undefined;
}

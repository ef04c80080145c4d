import type { PolicyConfigSchema } from "@pulumi/policy";
import { Findings } from "./finding";
import type { Finding } from "./finding";

/** A whole number that a rule judges by. */
export interface Parameter {
  readonly default: number;
  /** Bounds that no configuration loosens. */
  readonly minimum: number;
  readonly maximum: number;
  /** What it says, with its unit. */
  readonly description: string;
}

/** Parameters of a rule, by their names in its configuration. */
export type Parameters<Name extends string = string> = Readonly<Record<Name, Parameter>>;
/** What they are set to. */
export type Values<Name extends string = string> = Readonly<Record<Name, number>>;

/** What a rule judges by where nothing is configured. */
export function defaultsOf(parameters: Parameters = {}): Values {
  return Object.fromEntries(Object.entries(parameters).map(([name, parameter]) => [name, parameter.default]));
}

/** The schema by which CrossGuard checks a rule's configuration, and by which Pulumi Cloud shows a form for it. */
export function parameterSchema(parameters: Parameters = {}): PolicyConfigSchema {
  return {
    properties: Object.fromEntries(
      Object.entries(parameters).map(([name, parameter]) => [name, { type: "integer", ...parameter }]),
    ),
  };
}

/** What a rule judges by, and what is wrong with its configuration. What is wrong sets nothing. */
export function valuesOf(
  parameters: Parameters = {},
  configuration: Readonly<Record<string, unknown>>,
): { readonly values: Values; readonly problems: readonly Finding[] } {
  const findings = new Findings();
  const set = Object.entries(configuration).flatMap(([name, value]) => {
    const parameter = Object.hasOwn(parameters, name) ? parameters[name] : undefined;
    if (parameter === undefined) {
      findings.add(name, `the rule has no parameter \`${name}\``, mendOf(parameters));
      return [];
    }
    const { minimum, maximum } = parameter;
    if (typeof value === "number" && Number.isInteger(value) && value >= minimum && value <= maximum) {
      return [[name, value] as const];
    }
    findings.add(
      name,
      "it is no number that the rule could judge by",
      `give a whole number from ${String(minimum)} to ${String(maximum)}`,
    );
    return [];
  });
  return { values: { ...defaultsOf(parameters), ...Object.fromEntries(set) }, problems: findings.list };
}

function mendOf(parameters: Parameters): string {
  const names = Object.keys(parameters);
  const known = names.length === 0 ? "it has none" : `it has ${names.join(", ")}`;
  return `take it out (${known}); keys of the ceiling stand under \`ceiling\`, once for all rules`;
}

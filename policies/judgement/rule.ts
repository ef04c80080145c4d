import type { Severity } from "@pulumi/policy";
import type { Ceiling, CeilingKey } from "../ceiling";
import type { Field } from "./field";
import { Unjudgeable } from "./field";
import { Findings } from "./finding";
import type { Finding } from "./finding";
import { defaultsOf } from "./parameters";
import type { Parameters, Values } from "./parameters";

export interface RuleText {
  /** Also the name of its page, docs/policies/<name>.md. */
  readonly name: string;
  readonly description: string;
  readonly severity: Severity;
  /** What to do about a violation, in general; each finding says it in particular. */
  readonly remediation: string;
  /** Keys of the ceiling that the rule reads. */
  readonly uses: readonly CeilingKey[];
  /**
   * Whether the ceiling may let findings of the rule be until a day. Default: it may not. That is for rules on which identity and isolation stand, which have keys
   * of their own in the ceiling where something must be let be.
   */
  readonly takesExceptions?: boolean;
}

/** A rule that judges one resource by its inputs, before it is created. Pure: it sees plain data and knows nothing of CrossGuard. */
export interface ResourceRule<Name extends string = string> extends RuleText {
  /** What of the rule can be set in the pack's configuration, under the rule's name. Default: nothing. */
  readonly parameters?: Parameters<Name>;
  /** Whether resources of this type are judged. */
  concerns(type: string): boolean;
  judge(resource: Resource, ceiling: Ceiling, findings: Findings, values: Values<Name>): void;
}

/** A rule that judges all resources of a stack together, after the last step of a preview. */
export interface StackRule extends RuleText {
  judge(resources: readonly StackResource[], ceiling: Ceiling): StackFinding[];
}

/** A resource as a rule sees it. */
export interface Resource {
  readonly type: string;
  /** Its name in the program. */
  readonly name: string;
  readonly properties: Field;
}

/** A resource as a stack rule sees it. */
export interface StackResource extends Resource {
  readonly urn: string;
  /** What it was declared with, where that is another than its properties: those have what its provider answered. */
  readonly declared?: Field;
  /** The resources that a property's value came from. */
  origins(property: string): readonly StackResource[];
}

export interface StackFinding extends Finding {
  readonly resource: StackResource;
}

/** What a rule finds in one resource. What can't be judged is a finding. */
export function judgeResource(
  rule: ResourceRule,
  resource: Resource,
  ceiling: Ceiling,
  values: Values = defaultsOf(rule.parameters),
): readonly Finding[] {
  const findings = new Findings();
  try {
    rule.judge(resource, ceiling, findings, values);
  } catch (error) {
    if (!(error instanceof Unjudgeable)) throw error;
    findings.add(error.path, error.problem, error.mend);
  }
  return findings.list;
}

/** What a stack rule finds in one of its resources. What can't be judged is a finding. */
export function findingsIn(
  resource: StackResource,
  judge: (resource: StackResource, findings: Findings) => void,
): StackFinding[] {
  const findings = new Findings();
  try {
    judge(resource, findings);
  } catch (error) {
    if (!(error instanceof Unjudgeable)) throw error;
    findings.add(error.path, error.problem, error.mend);
  }
  return findings.list.map((finding) => ({ ...finding, resource }));
}

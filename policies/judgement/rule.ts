import type { PolicyResource, ResourceValidationPolicy, Severity, StackValidationPolicy } from "@pulumi/policy";
import type { Ceiling, CeilingKey } from "../ceiling";
import { KubeObject } from "../kubernetes/object";
import { Field, Unjudgeable } from "./field";
import { Findings } from "./finding";
import type { Finding } from "./finding";
import { plainCopy } from "./plain";
import { ceilingWith, configSchema } from "./settings";

interface RuleText {
  /** Also the anchor of its section in docs/policies/README.md. */
  readonly name: string;
  readonly description: string;
  readonly severity: Severity;
  /** What to do about a violation, in general; each finding says it in particular. */
  readonly remediation: string;
  /** Keys of the ceiling that the rule reads: its configuration. */
  readonly uses: readonly CeilingKey[];
}

/** A rule that judges one resource by its inputs, before it is created. Pure: it sees plain data and knows nothing of CrossGuard. */
export interface ResourceRule extends RuleText {
  /** Whether resources of this type are judged. */
  concerns(type: string): boolean;
  judge(resource: Resource, ceiling: Ceiling, findings: Findings): void;
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
  /** The resources that a property's value came from. */
  origins(property: string): readonly StackResource[];
}

export interface StackFinding extends Finding {
  readonly resource: StackResource;
}

/** Page on which every rule has a section of its name. */
const DOCUMENTATION = "docs/policies/README.md";

/** What a rule finds in one resource. What can't be judged is a finding. */
export function judgeResource(rule: ResourceRule, resource: Resource, ceiling: Ceiling): readonly Finding[] {
  const findings = new Findings();
  try {
    rule.judge(resource, ceiling, findings);
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

/** The rule as CrossGuard takes it. */
export function resourcePolicy(rule: ResourceRule): ResourceValidationPolicy {
  return {
    ...policyText(rule),
    validateResource: (args, reportViolation) => {
      if (!rule.concerns(args.type)) return;
      const resource = { type: args.type, name: args.name, properties: new Field(plainCopy(args.props)) };
      for (const finding of judgeResource(rule, resource, ceilingWith(args.getConfig()))) {
        reportViolation(message(rule, resource, finding));
      }
    },
  };
}

/** The rule as CrossGuard takes it. */
export function stackPolicy(rule: StackRule): StackValidationPolicy {
  return {
    ...policyText(rule),
    validateStack: (args, reportViolation) => {
      for (const finding of rule.judge(args.resources.map(stackResource), ceilingWith(args.getConfig()))) {
        reportViolation(message(rule, finding.resource, finding), finding.resource.urn);
      }
    },
  };
}

/** Copies properties when they are first asked for: a stack rule looks into few of its resources. */
function stackResource(resource: PolicyResource): StackResource {
  let properties: Field | undefined;
  return {
    type: resource.type,
    name: resource.name,
    urn: resource.urn,
    get properties() {
      return (properties ??= new Field(plainCopy(resource.props)));
    },
    origins: (property) => (resource.propertyDependencies[property] ?? []).map(stackResource),
  };
}

function policyText(rule: RuleText) {
  return {
    name: rule.name,
    description: rule.description,
    enforcementLevel: "mandatory",
    severity: rule.severity,
    remediationSteps: rule.remediation,
    url: `${DOCUMENTATION}#${rule.name}`,
    configSchema: configSchema(rule.uses),
  } as const;
}

/** `Deployment lucid-ops/admin-ui, spec.x: what is wrong; the mend (docs/…#rule)`. */
function message(rule: RuleText, resource: Resource, finding: Finding): string {
  const place = finding.path === "" ? KubeObject.titleOf(resource) : `${KubeObject.titleOf(resource)}, ${finding.path}`;
  return `${place}: ${finding.problem}; ${finding.mend} (${DOCUMENTATION}#${rule.name})`;
}

import type { Policies, ReportViolation, ResourceValidationPolicy, StackValidationPolicy } from "@pulumi/policy";
import { Exceptions } from "../ceiling/exceptions";
import { readCeiling } from "../ceiling/reading";
import type { CeilingReading } from "../ceiling/reading";
import { CEILING_FORM } from "../ceiling/schema";
import { KubeObject } from "../kubernetes/object";
import { Field } from "./field";
import type { Finding } from "./finding";
import { parameterSchema, valuesOf } from "./parameters";
import { DeclaredInputs } from "./declared-inputs";
import { plainCopy } from "./plain";
import { judgeResource } from "./rule";
import type { Resource, ResourceRule, RuleText, StackRule } from "./rule";

/** Folder of the rules' pages. */
const PAGES = "docs/policies";
/** The one resource that every plan has, and first: what is wrong with the pack's own configuration is told of it. */
const STACK = "pulumi:pulumi:Stack";

const CEILING: Omit<RuleText, "uses"> = {
  name: "ceiling",
  description:
    "What may be declared at all: its configuration is the ceiling of all rules. Refuses one that can't be read, and exceptions without end or owner.",
  severity: "critical",
  remediation: "Have the ceiling's owner mend the pack's configuration.",
};

const NOTES: Omit<RuleText, "uses"> = {
  name: "ceiling-notes",
  description: "Warns of what the ceiling says for nobody: exceptions that lift nothing, parties that don't exist.",
  severity: "low",
  remediation: "Have the ceiling's owner take it out.",
};

/** A ceiling in force, and its exceptions. */
interface Force extends CeilingReading {
  readonly exceptions: Exceptions;
}

/**
 * The rules as CrossGuard takes them. CrossGuard configures each policy by itself and knows no configuration for a whole pack, so the ceiling is the configuration of
 * a policy of its own: the first, which for every resource is asked before the others, and keeps what it was configured with for them.
 */
export class Pack {
  private force: Force | undefined;
  private written: Readonly<Record<string, unknown>> | undefined;
  private readonly declared = new DeclaredInputs();

  constructor(
    private readonly resourceRules: readonly ResourceRule[],
    private readonly stackRules: readonly StackRule[],
    private readonly clock: () => Date = () => new Date(),
  ) {}

  policies(): Policies {
    return [
      this.ceilingPolicy(),
      ...this.resourceRules.map((rule) => this.resourcePolicy(rule)),
      ...this.stackRules.map((rule) => this.stackPolicy(rule)),
      this.notesPolicy(),
    ];
  }

  private ceilingPolicy(): ResourceValidationPolicy {
    return {
      ...policyText(CEILING),
      configSchema: { properties: { ...CEILING_FORM } },
      validateResource: (args, reportViolation) => {
        const { problems } = this.configure(args.getConfig());
        this.declared.keep(args.urn, args.props);
        if (args.type === STACK) reportConfiguration(CEILING.name, CEILING.name, problems, reportViolation);
      },
    };
  }

  private resourcePolicy(rule: ResourceRule): ResourceValidationPolicy {
    return {
      ...policyText(rule),
      configSchema: parameterSchema(rule.parameters),
      validateResource: (args, reportViolation) => {
        const { values, problems } = valuesOf(rule.parameters, args.getConfig());
        if (args.type === STACK) {
          reportConfiguration(rule.name, rule.name, problems, reportViolation);
          if (this.force?.ceiling === undefined) reportNoCeiling(reportViolation);
        }
        if (this.force?.ceiling === undefined || !rule.concerns(args.type)) return;
        const resource = { type: args.type, name: args.name, properties: new Field(plainCopy(args.props)) };
        for (const finding of judgeResource(rule, resource, this.force.ceiling, values)) {
          this.report(rule, resource, finding, reportViolation);
        }
      },
    };
  }

  private stackPolicy(rule: StackRule): StackValidationPolicy {
    return {
      ...policyText(rule),
      configSchema: parameterSchema(),
      validateStack: (args, reportViolation) => {
        const { problems } = valuesOf({}, args.getConfig());
        const stack = args.resources.find(({ type }) => type === STACK);
        reportConfiguration(rule.name, rule.name, problems, (message) => {
          reportViolation(message, stack?.urn);
        });
        if (this.force?.ceiling === undefined) {
          reportNoCeiling((message) => {
            reportViolation(message, stack?.urn);
          });
          return;
        }
        for (const { resource, ...finding } of rule.judge(
          this.declared.resources(args.resources),
          this.force.ceiling,
        )) {
          this.report(rule, resource, finding, reportViolation, resource.urn);
        }
      },
    };
  }

  /** Advisory, and last: by then every rule has been asked about everything. */
  private notesPolicy(): StackValidationPolicy {
    return {
      ...policyText(NOTES),
      enforcementLevel: "advisory",
      validateStack: (args, reportViolation) => {
        if (this.force === undefined) return;
        const unused = this.force.exceptions.unused().map(({ rule, object, finding }) => ({
          path: "exceptions",
          problem: `the exception to ${rule} for ${object} lifts nothing here: \`${finding}\` was not found`,
          mend: "take it out, unless another stack with this ceiling needs it",
        }));
        const stack = args.resources.find(({ type }) => type === STACK);
        reportConfiguration(CEILING.name, NOTES.name, [...this.force.notes, ...unused], (message) => {
          reportViolation(message, stack?.urn);
        });
      },
    };
  }

  /** Reads the configuration, once for as long as it stays the same. */
  private configure(written: Readonly<Record<string, unknown>>): Force {
    if (this.force !== undefined && this.written !== undefined && isSame(written, this.written)) return this.force;
    const now = this.clock();
    const rules = new Map([...this.resourceRules, ...this.stackRules].map((rule) => [rule.name, rule]));
    const reading = readCeiling(written, { rules, now });
    this.written = written;
    this.force = { ...reading, exceptions: new Exceptions(reading.ceiling?.exceptions ?? [], now) };
    return this.force;
  }

  private report(rule: RuleText, resource: Resource, finding: Finding, report: ReportViolation, urn?: string): void {
    const title = KubeObject.titleOf(resource);
    if (rule.takesExceptions === true && this.force?.exceptions.lift(rule.name, title, finding) === true) return;
    const place = finding.path === "" ? title : `${title}, ${finding.path}`;
    report(`${place}: ${finding.problem}; ${finding.mend} (${PAGES}/${rule.name}.md)`, urn);
  }
}

function policyText(rule: Omit<RuleText, "uses">) {
  return {
    name: rule.name,
    description: rule.description,
    enforcementLevel: "mandatory",
    severity: rule.severity,
    remediationSteps: rule.remediation,
    url: `${PAGES}/${rule.name}.md`,
  } as const;
}

/** What is wrong with the part of the pack's configuration under one name. */
function reportConfiguration(
  name: string,
  page: string,
  problems: readonly Finding[],
  report: (message: string) => void,
): void {
  for (const { path, problem, mend } of problems) {
    const place = path === "" || path.startsWith("[") ? `${name}${path}` : `${name}.${path}`;
    report(`the pack's configuration, ${place}: ${problem}; ${mend} (${PAGES}/${page}.md)`);
  }
}

function reportNoCeiling(report: (message: string) => void): void {
  report(
    `the pack's configuration, ceiling: it can't be read, or its rule is disabled, so nothing can be judged; mend it first (${PAGES}/ceiling.md)`,
  );
}

/** CrossGuard gives the same configuration in a new map each time. */
function isSame(one: Readonly<Record<string, unknown>>, other: Readonly<Record<string, unknown>>): boolean {
  const keys = Object.keys(one);
  return keys.length === Object.keys(other).length && keys.every((key) => one[key] === other[key]);
}

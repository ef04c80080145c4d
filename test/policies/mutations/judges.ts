/** Who judges a plan: the pack's rules by the ceiling, and the program's own proof by the document. */
import type { Ceiling } from "../../../policies/ceiling";
import { Field } from "../../../policies/judgement/field";
import { judgeResource } from "../../../policies/judgement/rule";
import type { ResourceRule, StackResource } from "../../../policies/judgement/rule";
import { resourceRules, stackRules } from "../../../policies/rules";
import { planViolations } from "../../../proof";
import type { Surroundings } from "../../../proof";
import { timelineViolations } from "../../../proof/timeline";
import type { Mesh } from "../../../mesh";
import type { Mutation } from "./mutation";
import { Plan } from "./plan";
import type { Change, Spec } from "./plan";
import { Watch } from "./watched";

/** By what a plan is judged. */
export interface Measure {
  readonly mesh: Mesh;
  readonly ceiling: Ceiling;
  readonly settings: Surroundings & { readonly updateIntervalHours: number };
  /** Whether certificates are judged in time: before an update, when it is not known yet what they hold. */
  readonly hasTimeline: boolean;
}

/** Who judges all resources together. */
interface PlanJudge {
  readonly name: string;
  /** What it read of the plan as it is. */
  readonly watch: Watch;
  readonly finds: (resources: readonly StackResource[]) => boolean;
}

/** A rule, and what it read of a resource as it is. */
interface Reader {
  readonly rule: ResourceRule;
  readonly watch: Watch;
}

/** Judges one plan, as it is and with changes in it. Who did not look at what a change changes is not asked again. */
export class Judges {
  private readonly plan: Plan;
  private readonly planJudges: readonly PlanJudge[];
  private readonly specs: ReadonlyMap<string, Spec>;
  private readonly readers = new Map<string, readonly Reader[]>();

  constructor(
    specs: readonly Spec[],
    private readonly measure: Measure,
  ) {
    this.plan = new Plan(specs);
    this.specs = new Map(specs.map((spec) => [spec.urn, spec]));
    this.planJudges = this.listOfPlanJudges().map(({ name, finds }) => {
      const watch = new Watch();
      new Plan(specs.map((spec) => watch.watched(spec))).with(new Map(), finds);
      return { name, finds, watch };
    });
  }

  /** Who finds something in the plan as it is. */
  unchanged(): readonly string[] {
    const rules = this.plan.specs.flatMap((spec) =>
      this.readersOf(spec).flatMap(({ rule }) => (this.isFoundBy(rule, spec) ? [`${rule.name}: ${spec.name}`] : [])),
    );
    const together = this.finderTogether(new Map());
    return together === undefined ? rules : [...rules, together];
  }

  /** Who finds a mutation first: a rule of the pack, `proof` or `timeline`; undefined for one that nobody finds. */
  finderOf({ change, touches }: Mutation): string | undefined {
    for (const [urn, specs] of change) {
      for (const spec of specs) {
        const reader = this.readersOf(this.specs.get(urn) ?? spec).find(
          ({ rule, watch }) => isSeen(watch, touches) && this.isFoundBy(rule, spec),
        );
        if (reader !== undefined) return reader.rule.name;
      }
    }
    return this.finderTogether(change, touches);
  }

  /** Whether those who judge all resources together look at what a mutation changes, all of them. */
  isSeen(touches: Mutation["touches"]): boolean {
    return this.planJudges.every(({ watch }) => isSeen(watch, touches));
  }

  /** Who of those who judge all resources together finds a change; all of them are asked unless it is said what it touches. */
  finderTogether(change: Change, touches: Mutation["touches"] = "everything"): string | undefined {
    const asked = this.planJudges.filter(({ watch }) => isSeen(watch, touches));
    return this.plan.with(change, (resources) => asked.find(({ finds }) => finds(resources))?.name);
  }

  private listOfPlanJudges(): readonly Omit<PlanJudge, "watch">[] {
    const { mesh, settings, ceiling, hasTimeline } = this.measure;
    const timeline: Omit<PlanJudge, "watch"> = {
      name: "timeline",
      finds: (resources) => timelineViolations(mesh, settings, resources).length > 0,
    };
    return [
      ...(hasTimeline ? [timeline] : []),
      ...stackRules.map((rule) => ({
        name: rule.name,
        finds: (resources: readonly StackResource[]) => rule.judge(resources, ceiling).length > 0,
      })),
      { name: "proof", finds: (resources) => planViolations(mesh, settings, resources).length > 0 },
    ];
  }

  private readersOf(spec: Spec): readonly Reader[] {
    const known = this.readers.get(spec.urn);
    if (known !== undefined) return known;
    const readers = resourceRules
      .filter((rule) => rule.concerns(spec.type))
      .map((rule) => {
        const watch = new Watch();
        this.isFoundBy(rule, watch.watched(spec));
        return { rule, watch };
      });
    this.readers.set(spec.urn, readers);
    return readers;
  }

  private isFoundBy(rule: ResourceRule, { type, name, inputs }: Spec): boolean {
    return judgeResource(rule, { type, name, properties: new Field(inputs) }, this.measure.ceiling).length > 0;
  }
}

function isSeen(watch: Watch, touches: Mutation["touches"]): boolean {
  return touches === "everything" || touches.some(({ urn, path }) => watch.sees(urn, path));
}

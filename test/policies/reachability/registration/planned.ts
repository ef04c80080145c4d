/** Lucid's plan with something changed of who may register what, and what judges say of it. */
import type { Settings } from "../../../../components";
import type { Mesh } from "../../../../mesh";
import { LUCID_CEILING } from "../../../../policies/ceiling";
import type { Plain } from "../../../../policies/judgement/plain";
import { registrationBeyondCeiling } from "../../../../policies/rules/registration";
import { planViolations } from "../../../../proof";
import { lucid, rehearsed, settings } from "../../../unit/proof/lucid";
import { Plan, specOf } from "../../mutations/plan";
import type { Spec } from "../../mutations/plan";

export const ACL = {
  policy: "consul:index/aclPolicy:AclPolicy",
  role: "consul:index/aclRole:AclRole",
  token: "consul:index/aclToken:AclToken",
  authMethod: "consul:index/aclAuthMethod:AclAuthMethod",
  bindingRule: "consul:index/aclBindingRule:AclBindingRule",
  tokenPolicy: "consul:index/aclTokenPolicyAttachment:AclTokenPolicyAttachment",
} as const;

/** A plan that can be changed. */
export class ChangedPlan {
  private constructor(
    private readonly specs: readonly Spec[],
    private readonly under: Settings,
    private readonly mesh: Mesh,
  ) {}

  static async of(under: Settings = settings, mesh: Mesh = lucid): Promise<ChangedPlan> {
    return new ChangedPlan((await rehearsed(mesh, {}, under)).map(specOf), under, mesh);
  }

  /** The same with one resource changed. */
  with(name: string, change: (spec: Spec) => Spec): ChangedPlan {
    if (!this.specs.some((spec) => spec.name === name)) throw new RangeError(`the plan has no ${name}`);
    return new ChangedPlan(
      this.specs.map((spec) => (spec.name === name ? change(spec) : spec)),
      this.under,
      this.mesh,
    );
  }

  /** The same with inputs of one resource changed. */
  withInputs(name: string, inputs: { readonly [key: string]: Plain }): ChangedPlan {
    return this.with(name, (spec) => ({ ...spec, inputs: { ...spec.inputs, ...inputs } }));
  }

  /** The same with a value of one resource made of others besides. */
  withSource(name: string, property: string, ...sources: readonly string[]): ChangedPlan {
    const urns = sources.map((source) => this.urnOf(source));
    return this.with(name, (spec) => ({
      ...spec,
      sources: { ...spec.sources, [property]: [...(spec.sources[property] ?? []), ...urns] },
    }));
  }

  /** The same without one resource. */
  without(name: string): ChangedPlan {
    return new ChangedPlan(
      this.specs.filter((spec) => spec.name !== name),
      this.under,
      this.mesh,
    );
  }

  /** The same with another resource. */
  plus(type: string, name: string, inputs: { readonly [key: string]: Plain }): ChangedPlan {
    const spec: Spec = { type, name, urn: `urn:pulumi:dev::lucid-mesh::${type}::${name}`, inputs, sources: {} };
    return new ChangedPlan([...this.specs, spec], this.under, this.mesh);
  }

  inputsOf(name: string): Spec["inputs"] {
    return this.specs.find((spec) => spec.name === name)?.inputs ?? {};
  }

  /** What the program's own proof finds at the layer. */
  violations(): readonly string[] {
    return new Plan(this.specs)
      .with(new Map(), (resources) => planViolations(this.mesh, this.under, resources))
      .filter((violation) => violation.startsWith("registration: "));
  }

  /** What the policy pack finds beyond the ceiling: of which resource, and what. */
  beyondCeiling(): readonly string[] {
    return new Plan(this.specs).with(new Map(), (resources) =>
      registrationBeyondCeiling(resources, LUCID_CEILING).map(
        ({ resource, problem }) => `${resource.name}: ${problem}`,
      ),
    );
  }

  private urnOf(name: string): string {
    const urn = this.specs.find((spec) => spec.name === name)?.urn;
    if (urn === undefined) throw new RangeError(`the plan has no ${name}`);
    return urn;
  }
}

/** A plan whose resources can be exchanged, with what their values come from. */
import { Field } from "../../../policies/judgement/field";
import type { Plain } from "../../../policies/judgement/plain";
import type { StackResource } from "../../../policies/judgement/rule";

/** A resource as plain data. */
export interface Spec {
  readonly type: string;
  readonly name: string;
  readonly urn: string;
  readonly inputs: { readonly [key: string]: Plain };
  /** URNs of the resources that a property's value comes from. */
  readonly sources: Readonly<Record<string, readonly string[]>>;
}

/** Resources that take the place of others, by the URN of each. None: it is taken out. */
export type Change = ReadonlyMap<string, readonly Spec[]>;

/** What of a resource a plan is made from. */
export function specOf(resource: StackResource): Spec {
  const inputs = resource.properties.plain as Spec["inputs"];
  const { type, name, urn } = resource;
  const sources = Object.keys(inputs).map(
    (property) => [property, resource.origins(property).map((origin) => origin.urn)] as const,
  );
  return { type, name, urn, inputs, sources: Object.fromEntries(sources.filter(([, urns]) => urns.length > 0)) };
}

/** All resources of a plan. What is exchanged is exchanged for those too that others' values come from. */
export class Plan {
  private readonly resources: readonly Planned[];
  private readonly byUrn: ReadonlyMap<string, Planned>;
  private change: ReadonlyMap<string, readonly Planned[]> = new Map();

  constructor(readonly specs: readonly Spec[]) {
    this.resources = specs.map((spec) => new Planned(spec, (urn) => this.find(urn)));
    this.byUrn = new Map(this.resources.map((resource) => [resource.urn, resource]));
  }

  /** Asks about the resources, with a change in them. */
  with<T>(change: Change, ask: (resources: readonly StackResource[]) => T): T {
    this.change = new Map(
      [...change].map(([urn, specs]) => [urn, specs.map((spec) => new Planned(spec, (other) => this.find(other)))]),
    );
    try {
      return ask(this.resources.flatMap((resource) => this.change.get(resource.urn) ?? resource));
    } finally {
      this.change = new Map();
    }
  }

  private find(urn: string): Planned | undefined {
    const changed = this.change.get(urn);
    return changed === undefined ? this.byUrn.get(urn) : changed[0];
  }
}

class Planned implements StackResource {
  readonly type: string;
  readonly name: string;
  readonly urn: string;
  readonly properties: Field;

  constructor(
    private readonly spec: Spec,
    private readonly find: (urn: string) => Planned | undefined,
  ) {
    ({ type: this.type, name: this.name, urn: this.urn } = spec);
    this.properties = new Field(spec.inputs);
  }

  origins(property: string): readonly Planned[] {
    return (this.spec.sources[property] ?? []).flatMap((urn) => this.find(urn) ?? []);
  }
}

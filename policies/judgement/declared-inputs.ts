import type { PolicyResource } from "@pulumi/policy";
import { Field } from "./field";
import { plainCopy } from "./plain";
import type { StackResource } from "./rule";

type Properties = Readonly<Record<string, unknown>>;

/**
 * What resources were declared with, for the rules that judge them together. The engine gives those rules what the providers *answered*, and a provider that can't be
 * configured yet (Consul's, whose token the first update makes) answers a preview with nothing. So what a resource was asked for when it was judged by itself is kept,
 * and stands where nothing was answered.
 */
export class DeclaredInputs {
  private readonly byUrn = new Map<string, Properties>();
  /** A resource is the origin of many others: what was copied of it once is there for all of them. */
  private readonly seen = new WeakMap<PolicyResource, StackResource>();

  keep(urn: string, inputs: Properties): void {
    this.byUrn.set(urn, inputs);
  }

  resources(answered: readonly PolicyResource[]): StackResource[] {
    return answered.map((resource) => this.resource(resource));
  }

  private resource(answered: PolicyResource): StackResource {
    const seen = this.seen.get(answered) ?? this.declared(answered);
    this.seen.set(answered, seen);
    return seen;
  }

  /** Copies properties when they are first asked for: a rule looks into few of its resources. */
  private declared({ type, name, urn, props, propertyDependencies }: PolicyResource): StackResource {
    const judged = (): Properties => (isNothing(props) ? (this.byUrn.get(urn) ?? props) : props);
    let properties: Field | undefined;
    let declared: Field | undefined;
    const inputs = this.byUrn;
    return {
      type,
      name,
      urn,
      get declared() {
        return (declared ??= new Field(plainCopy(inputs.get(urn) ?? judged())));
      },
      get properties() {
        return (properties ??= new Field(plainCopy(judged())));
      },
      origins: (property) => (propertyDependencies[property] ?? []).map((origin) => this.resource(origin)),
    };
  }
}

/** An answer without a property; the identifier is the engine's own. */
function isNothing(answer: Properties): boolean {
  return Object.keys(answer).every((key) => key === "id");
}

import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { renderAdmission } from "../../admission";
import type { AdmissionPolicies, AdmissionPolicy } from "../../admission";
import type { Mesh } from "../../mesh";
import { LABELS, PART_OF } from "../../mesh/wire";
import type { Settings } from "../stack/settings";
import { IMAGES } from "../versions";

/** Resolves once the API server holds requests against this generation of the policies. */
export type AwaitAdmission = (generation: string) => Promise<void>;

export interface AdmissionControlArgs {
  readonly mesh: Mesh;
  readonly settings: Settings;
  /** Default: nothing is awaited. */
  readonly inForce?: AwaitAdmission;
}

/**
 * The mesh's admission policies: who changes objects in the zones' namespaces past Pulumi is refused what `pulumi up` is refused.
 *
 * An API server goes on for a second or so by the policies that it knew. So what they judge waits on `settled`, or a call that is newly declared would be
 * refused by the policies of the document before.
 */
export class AdmissionControl extends pulumi.ComponentResource {
  /** The policies, once they are in force: what they judge depends on them. */
  readonly settled: pulumi.Output<pulumi.Resource[]>;
  /** Their generation, once they are in force. */
  readonly generation: pulumi.Output<string>;
  /** Names of all of them, and of their bindings. */
  readonly names: readonly string[];
  private readonly policies: AdmissionPolicies;

  constructor(name: string, args: AdmissionControlArgs, opts?: pulumi.ComponentResourceOptions) {
    super("lucid:mesh:AdmissionControl", name, {}, opts);
    this.policies = policiesOf(args);
    const { first, probe, last, generation } = this.policies;
    this.names = [...first, probe, last].map(({ name: policy }) => policy);
    const registered = first.flatMap((policy) => this.register(policy, []));
    const told = this.register(probe, registered);
    this.settled = pulumi.all(told.map(({ urn }) => urn)).apply(async () => {
      if (!pulumi.runtime.isDryRun()) await args.inForce?.(generation);
      return told;
    });
    this.generation = this.settled.apply(() => generation);
    this.registerOutputs({});
  }

  /** What stays as long as the pods do: registered after it, so that it is taken away before. */
  keep(kept: readonly pulumi.Resource[]): void {
    this.register(this.policies.last, kept);
  }

  private register({ name, spec }: AdmissionPolicy, dependsOn: readonly pulumi.Resource[]): pulumi.Resource[] {
    const metadata = { name, labels: { [LABELS.partOf]: PART_OF } };
    const options = { parent: this, dependsOn: [...dependsOn] };
    const policy = new kubernetes.admissionregistration.v1.ValidatingAdmissionPolicy(
      name,
      { metadata, spec: wireShape(spec) },
      options,
    );
    const binding = new kubernetes.admissionregistration.v1.ValidatingAdmissionPolicyBinding(
      `${name}-binding`,
      { metadata, spec: { policyName: name, validationActions: ["Deny"] } },
      { parent: this, dependsOn: policy },
    );
    return [policy, binding];
  }
}

/** The generation of the policies that a mesh needs, whichever stack has them. */
export function admissionGeneration(args: Pick<AdmissionControlArgs, "mesh" | "settings">): string {
  return policiesOf(args).generation;
}

function policiesOf({ mesh, settings }: Pick<AdmissionControlArgs, "mesh" | "settings">): AdmissionPolicies {
  const own = (image: string) => `${settings.imageRegistry}/lucid/${image}`;
  return renderAdmission(mesh, {
    discoveryBackend: settings.discoveryBackend,
    apiServerCidr: settings.apiServerCidr,
    apiServerPort: settings.apiServerPort,
    issuing: settings.autoRotateCerts,
    images: {
      ...IMAGES,
      startGate: own("start-gate"),
      controller: own("mesh-controller"),
      snapshots: own("snapshots"),
      joined: settings.joinedImages ?? [],
    },
  });
}

/** The SDK takes mutable lists. */
function wireShape(
  spec: AdmissionPolicy["spec"],
): kubernetes.types.input.admissionregistration.v1.ValidatingAdmissionPolicySpec {
  return structuredClone(spec) as kubernetes.types.input.admissionregistration.v1.ValidatingAdmissionPolicySpec;
}

import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { EnvoyOptions } from "../envoy";
import { podsAtOnce, type Mesh, type Service, type ZoneName } from "../mesh";
import type { ZoneTrust } from "./certificate-authority";
import { leafRevision, type RevokedCertificate } from "./identity/revocations";
import { joinDataOf, type JoinData } from "./joining/join-data";
import { jobResource } from "./pods/job";
import { objectLabels, selectorLabels } from "./pods/pod";
import type { PodTemplate, VersionPod } from "./pods/pod-template";
import { deploymentArgs, disruptionBudgetArgs, withAccount, type DeploymentPlan } from "./pods/workload";
import type { ServiceImage } from "./service-image";
import { Sidecar } from "./sidecar";
import type { Zone } from "./zone";

/** What every service of one mesh is given alike. */
export interface MeshContext {
  readonly mesh: Mesh;
  readonly zones: Readonly<Record<ZoneName, Zone>>;
  readonly envoy: EnvoyOptions;
  readonly certValidityDays: number;
  readonly revokedCertificates: readonly RevokedCertificate[];
  readonly startGate: ServiceImage;
}

export interface MeshServiceArgs {
  readonly context: MeshContext;
  readonly service: Service;
  /**
   * The application's pod, without its sidecar, for a Deployment or a job; or those of its versions, each a Deployment of the one service. None where
   * another stack brings the pods: then everything else is made.
   */
  readonly pod?: PodTemplate | readonly VersionPod[];
  /** The pod is given its ServiceAccount's token, because its application asks the Kubernetes API. Default false. */
  readonly kubernetesApi?: boolean;
  /** What the workload can't start without, besides its sidecar and isolation. */
  readonly waitFor?: readonly pulumi.Resource[];
}

/** Why a service is revoked, on each of its Deployments. */
const REVOKED_ANNOTATION = "lucid.internal/revoked";

/**
 * A service of the mesh: identity, sidecar, and its workload where this stack brings it. Its isolation stands in its zone, before it.
 *
 * A revoked one has no ServiceAccount: Kubernetes gives nobody a token of it, refuses those that were given, and makes no pod of it. Its Deployments stay,
 * without pods; a job is not made, and a stack that joins is told nothing.
 */
export class MeshService extends pulumi.ComponentResource {
  /** For the stack that brings the service's pods, where one does; known once everything is there that those pods need. */
  readonly join?: pulumi.Output<JoinData>;

  constructor(name: string, args: MeshServiceArgs, opts?: pulumi.ComponentResourceOptions) {
    super("lucid:mesh:MeshService", name, { service: args.service.name, zone: args.service.zone }, opts);
    const { service, context } = args;
    const zone = context.zones[service.zone];
    const child = { parent: this, dependsOn: zone.isolation };
    const labels = objectLabels(service.name, service.zone);
    const metadata = { name: service.name, namespace: service.namespace, labels };

    const account =
      service.revoked === undefined
        ? [
            new kubernetes.core.v1.ServiceAccount(
              `${name}-account`,
              { metadata, automountServiceAccountToken: false },
              child,
            ),
          ]
        : [];
    const sidecar = new Sidecar(
      `${name}-sidecar`,
      {
        mesh: context.mesh,
        service,
        envoy: context.envoy,
        authority: zone.authority,
        trust: zoneTrust(context.zones),
        certValidityDays: context.certValidityDays,
        leafRevision: leafRevision(service.name, context.revokedCertificates),
        startGateImage: context.startGate.reference,
      },
      child,
    );

    const basis = [zone.isolation, ...account, sidecar, context.startGate];
    if (service.workload.kind === "joined") {
      const data = joinDataOf(service, service.workload.owner, sidecar.pod);
      const ready = pulumi.all([...account.map(({ id }) => id), sidecar.written, context.startGate.pushed]);
      if (service.revoked === undefined) this.join = ready.apply(() => data);
    } else {
      this.run(name, args, sidecar, [...basis, ...(args.waitFor ?? [])]);
    }
    this.registerOutputs({});
  }

  /** Runs the service as what the document says: a job, a Deployment, or one for each version. */
  private run(name: string, args: MeshServiceArgs, sidecar: Sidecar, dependsOn: pulumi.Resource[]): void {
    const { pod, service } = args;
    const { workload } = service;
    if (pod === undefined) throw new RangeError(`${service.name} has no pod, and nobody joins with one`);
    if (workload.kind === "job" && "spec" in pod) {
      if (service.revoked !== undefined) return;
      const own = withAccount(pod, service, selectorLabels(service.name), args.kubernetesApi);
      const template = sidecar.attachTo(own, { completes: true });
      jobResource(name, service, workload, template, { parent: this, dependsOn });
      return;
    }
    if ("spec" in pod) {
      const only = { workload: service.name, replicas: podsAtOnce(service), pod };
      this.deploy(`${name}-deployment`, args, sidecar, only, dependsOn);
    } else {
      for (const one of pod) this.deploy(`${name}-${one.name}-deployment`, args, sidecar, one, dependsOn);
    }
    new kubernetes.policy.v1.PodDisruptionBudget(`${name}-disruption-budget`, disruptionBudgetArgs(service), {
      parent: this,
      dependsOn: args.context.zones[service.zone].isolation,
    });
  }

  /** A Deployment of the service: its only one, or one of its versions'. */
  private deploy(
    name: string,
    args: MeshServiceArgs,
    sidecar: Sidecar,
    variant: Omit<VersionPod, "name"> & { readonly name?: string },
    dependsOn: pulumi.Resource[],
  ): void {
    const { service, kubernetesApi } = args;
    const { workload, replicas, name: version = service.version } = variant;
    const selector = selectorLabels(service.name, variant.name);
    const template = sidecar.attachTo(withAccount(variant.pod, service, selector, kubernetesApi), { version });
    new kubernetes.apps.v1.Deployment(
      name,
      deploymentArgs(service, { workload, version, replicas, selector, template, ...annotated(service) }),
      { parent: this, dependsOn },
    );
  }
}

function annotated({ revoked }: Service): Pick<DeploymentPlan, "annotations"> {
  return revoked === undefined ? {} : { annotations: { [REVOKED_ANNOTATION]: revoked } };
}

function zoneTrust(zones: Readonly<Record<ZoneName, Zone>>): Record<ZoneName, ZoneTrust> {
  return {
    ops: zones.ops.authority,
    chain: zones.chain.authority,
    wallet: zones.wallet.authority,
    mesh: zones.mesh.authority,
    edge: zones.edge.authority,
  };
}

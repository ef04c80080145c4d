import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { EnvoyOptions } from "../envoy";
import { podsAtOnce, type Mesh, type Service, type ZoneName } from "../mesh";
import type { ZoneTrust } from "./certificate-authority";
import { leafRevision, type RevokedCertificate } from "./identity/revocations";
import { jobResource } from "./pods/job";
import { objectLabels, selectorLabels, spreadOverNodes, workloadLabels } from "./pods/pod";
import type { PodTemplate, VersionPod } from "./pods/pod-template";
import { toTemplateSpec } from "./pods/pod-template";
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
  /** The application's pod, without its sidecar, for a Deployment or a job; or those of its versions, each a Deployment of the one service. */
  readonly pod: PodTemplate | readonly VersionPod[];
  /** The pod is given its ServiceAccount's token, because its application asks the Kubernetes API. Default false. */
  readonly kubernetesApi?: boolean;
  /** What the workload can't start without, besides its sidecar and isolation. */
  readonly waitFor?: readonly pulumi.Resource[];
}

/** A service of the mesh: identity, sidecar, workload. Its isolation stands in its zone, before it. */
export class MeshService extends pulumi.ComponentResource {
  constructor(name: string, args: MeshServiceArgs, opts?: pulumi.ComponentResourceOptions) {
    super("lucid:mesh:MeshService", name, { service: args.service.name, zone: args.service.zone }, opts);
    const { service, context } = args;
    const zone = context.zones[service.zone];
    const child = { parent: this, dependsOn: zone.isolation };
    const labels = objectLabels(service.name, service.zone);
    const metadata = { name: service.name, namespace: service.namespace, labels };

    const account = new kubernetes.core.v1.ServiceAccount(
      `${name}-account`,
      { metadata, automountServiceAccountToken: false },
      child,
    );
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

    const waitFor = [zone.isolation, account, sidecar, context.startGate, ...(args.waitFor ?? [])];
    const { workload } = service;
    if (workload.kind === "job" && "spec" in args.pod) {
      const template = sidecar.attachTo(withAccount(args, args.pod), { completes: true });
      jobResource(name, service, workload, template, { parent: this, dependsOn: waitFor });
    } else {
      if ("spec" in args.pod) {
        const pod = { workload: service.name, replicas: podsAtOnce(service), pod: args.pod };
        this.deploy(`${name}-deployment`, args, sidecar, pod, waitFor);
      } else {
        for (const pod of args.pod) this.deploy(`${name}-${pod.name}-deployment`, args, sidecar, pod, waitFor);
      }
      new kubernetes.policy.v1.PodDisruptionBudget(
        `${name}-disruption-budget`,
        { metadata, spec: { maxUnavailable: 1, selector: { matchLabels: selectorLabels(service.name) } } },
        child,
      );
    }
    this.registerOutputs({});
  }

  /** A Deployment of the service: its only one, or one of its versions'. */
  private deploy(
    name: string,
    args: MeshServiceArgs,
    sidecar: Sidecar,
    variant: Omit<VersionPod, "name"> & { readonly name?: string },
    dependsOn: pulumi.Resource[],
  ): void {
    const { service } = args;
    const version = variant.name ?? service.version;
    const selector = selectorLabels(service.name, variant.name);
    const template = sidecar.attachTo(withAccount(args, variant.pod, variant.name), { version });
    new kubernetes.apps.v1.Deployment(
      name,
      {
        metadata: {
          name: variant.workload,
          namespace: service.namespace,
          labels: workloadLabels(service.name, service.zone, version),
        },
        spec: {
          replicas: variant.replicas,
          selector: { matchLabels: selector },
          strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
          template: toTemplateSpec(template),
        },
      },
      { parent: this, dependsOn },
    );
  }
}

/** What every pod of a service has, whatever runs it. */
function withAccount({ service, kubernetesApi }: MeshServiceArgs, pod: PodTemplate, version?: string): PodTemplate {
  return {
    ...pod,
    spec: {
      ...pod.spec,
      serviceAccountName: service.name,
      automountServiceAccountToken: kubernetesApi ?? false,
      enableServiceLinks: false,
      topologySpreadConstraints: spreadOverNodes(selectorLabels(service.name, version)),
    },
  };
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

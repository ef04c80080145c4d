import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { EnvoyOptions } from "../envoy";
import type { Mesh, Service, ZoneName } from "../mesh";
import { objectLabels, selectorLabels, spreadOverNodes, workloadLabels } from "./pod";
import type { PodTemplate } from "./pod-template";
import { toTemplateSpec } from "./pod-template";
import type { ServiceImage } from "./service-image";
import { Sidecar } from "./sidecar";
import type { Zone } from "./zone";

/** What every service of one mesh is given alike. */
export interface MeshContext {
  readonly mesh: Mesh;
  readonly zones: Readonly<Record<ZoneName, Zone>>;
  readonly envoy: EnvoyOptions;
  readonly certValidityDays: number;
  readonly startGate: ServiceImage;
}

export interface MeshServiceArgs {
  readonly context: MeshContext;
  readonly service: Service;
  /** The application's pod, without its sidecar. */
  readonly pod: PodTemplate;
  /** The pod is given its ServiceAccount's token, because its application asks the Kubernetes API. Default false. */
  readonly kubernetesApi?: boolean;
  /** What the workload can't start without, besides its sidecar and isolation. */
  readonly waitFor?: readonly pulumi.Resource[];
}

/** A service of the mesh: identity, sidecar, workload. Its isolation stands in its zone, before it. */
export class MeshService extends pulumi.ComponentResource {
  readonly deployment: kubernetes.apps.v1.Deployment;

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
        roots: zoneRoots(context.zones),
        certValidityDays: context.certValidityDays,
        startGateImage: context.startGate.reference,
      },
      child,
    );

    const template = sidecar.attachTo({
      ...args.pod,
      spec: {
        ...args.pod.spec,
        serviceAccountName: service.name,
        automountServiceAccountToken: args.kubernetesApi ?? false,
        enableServiceLinks: false,
        terminationGracePeriodSeconds: 30,
        topologySpreadConstraints: spreadOverNodes(service.name),
      },
    });
    this.deployment = new kubernetes.apps.v1.Deployment(
      `${name}-deployment`,
      {
        metadata: { ...metadata, labels: workloadLabels(service.name, service.zone, service.version) },
        spec: {
          replicas: service.workload.replicas,
          selector: { matchLabels: selectorLabels(service.name) },
          strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
          template: toTemplateSpec(template),
        },
      },
      { parent: this, dependsOn: [zone.isolation, account, sidecar, context.startGate, ...(args.waitFor ?? [])] },
    );
    new kubernetes.policy.v1.PodDisruptionBudget(
      `${name}-disruption-budget`,
      { metadata, spec: { maxUnavailable: 1, selector: { matchLabels: selectorLabels(service.name) } } },
      child,
    );
    this.registerOutputs({});
  }
}

function zoneRoots(zones: Readonly<Record<ZoneName, Zone>>): Record<ZoneName, pulumi.Output<string>> {
  return {
    ops: zones.ops.authority.rootsPem,
    chain: zones.chain.authority.rootsPem,
    wallet: zones.wallet.authority.rootsPem,
    mesh: zones.mesh.authority.rootsPem,
    edge: zones.edge.authority.rootsPem,
  };
}

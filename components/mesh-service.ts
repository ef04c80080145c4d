import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { EnvoyOptions } from "../envoy";
import { declaredSpec, MESH_SERVICE } from "../mesh/custom-resource";
import { isIssued } from "../mesh/issuing";
import { isGateway, podsAtOnce, type Mesh, type Service, type ZoneName } from "../mesh";
import type { ZoneTrust } from "./certificate-authority";
import type { TrustElsewhere } from "./datacenters/trust-elsewhere";
import { leafRevision, type RevokedCertificate } from "./identity/revocations";
import { joinDataOf, type JoinData } from "./joining/join-data";
import { jobResource } from "./pods/job";
import { objectLabels, selectorLabels } from "./pods/pod";
import type { PodTemplate, VersionPod } from "./pods/pod-template";
import { deploymentArgs, disruptionBudgetArgs, withAccount, type DeploymentPlan } from "./pods/workload";
import type { PushedImage } from "./service-image";
import { Sidecar } from "./sidecar";
import type { Zone } from "./zone";

/** What every service of one mesh is given alike. */
export interface MeshContext {
  readonly mesh: Mesh;
  /** The zones that this stack makes. */
  readonly zones: Partial<Readonly<Record<ZoneName, Zone>>>;
  /** By which each zone is believed, whoever makes it. */
  readonly trust: Readonly<Record<ZoneName, ZoneTrust>>;
  /** By which zones of other datacenters are believed. */
  readonly elsewhere: TrustElsewhere;
  readonly envoy: EnvoyOptions;
  readonly certValidityDays: number;
  /** Issuers make the certificates of services, but for those that run before them. */
  readonly issuing: boolean;
  readonly revokedCertificates: readonly RevokedCertificate[];
  readonly startGate: PushedImage;
  /** By which the API server knows what a `MeshService` is; undefined where another stack makes it. */
  readonly definition?: pulumi.Resource;
}

/** The zone of a service that this stack makes. @throws RangeError where another stack makes it */
export function zoneOf({ zones }: Pick<MeshContext, "zones">, service: Pick<Service, "name" | "zone">): Zone {
  const zone = zones[service.zone];
  if (zone === undefined)
    throw new RangeError(`${service.name} is in zone ${service.zone}, which this stack does not make`);
  return zone;
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
 * A service of the mesh: its declaration for controllers and people (a `MeshService` object), identity, sidecar, and its workload where this stack brings
 * it. Its isolation stands in its zone, before it.
 *
 * A revoked one has no ServiceAccount: Kubernetes gives nobody a token of it, refuses those that were given, and makes no pod of it. Its Deployments stay,
 * without pods; a job is not made, and a stack that joins is told nothing.
 */
export class MeshService extends pulumi.ComponentResource {
  /** For the stack that brings the service's pods, where one does; known once everything is there that those pods need. */
  readonly join?: pulumi.Output<JoinData>;
  /** Known once everything that its sidecar reads is there. */
  readonly written: pulumi.Output<string>;

  constructor(name: string, args: MeshServiceArgs, opts?: pulumi.ComponentResourceOptions) {
    super("lucid:mesh:MeshService", name, { service: args.service.name, zone: args.service.zone }, opts);
    const { service, context } = args;
    const zone = zoneOf(context, service);
    const child = { parent: this, dependsOn: zone.isolation };
    const labels = objectLabels(service.name, service.zone);
    const metadata = { name: service.name, namespace: service.namespace, labels };

    new kubernetes.apiextensions.CustomResource(
      `${name}-declaration`,
      {
        apiVersion: MESH_SERVICE.apiVersion,
        kind: MESH_SERVICE.kind,
        metadata,
        spec: declaredSpec(context.mesh, service),
      },
      { parent: this, dependsOn: [zone.isolation, ...(context.definition === undefined ? [] : [context.definition])] },
    );
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
        trust: context.trust,
        elsewhere: context.elsewhere,
        certValidityDays: context.certValidityDays,
        issued: context.issuing && isIssued(service),
        leafRevision: leafRevision(service.name, context.revokedCertificates),
        startGateImage: context.startGate.reference,
      },
      child,
    );
    this.written = sidecar.written;

    const basis = [zone.isolation, ...account, sidecar, ...context.startGate.resources];
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
      dependsOn: zoneOf(args.context, service).isolation,
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
    const external = service.workload.kind === "external";
    const template = sidecar.attachTo(withAccount(variant.pod, service, selector, kubernetesApi), {
      version,
      external,
      alone: isGateway(args.context.mesh, service),
    });
    new kubernetes.apps.v1.Deployment(
      name,
      deploymentArgs(service, { workload, version, replicas, selector, template, ...annotated(service) }),
      { parent: this, dependsOn },
    );
  }
}

function annotated({ revoked, workload }: Service): Pick<DeploymentPlan, "annotations"> {
  const annotations = {
    ...(revoked === undefined ? {} : { [REVOKED_ANNOTATION]: revoked }),
    // Its pods are ready while a service outside is well, which must not keep the mesh from being changed.
    ...(workload.kind === "external" ? { "pulumi.com/skipAwait": "true" } : {}),
  };
  return Object.keys(annotations).length === 0 ? {} : { annotations };
}

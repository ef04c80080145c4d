import * as docker from "@pulumi/docker";
import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { ZONES, edgesFrom, isJob, type Mesh, type Service, type Zone as ZoneModel, type ZoneName } from "../mesh";
import { trafficNotices } from "../mesh/traffic";
import { WELL_KNOWN } from "../mesh/wire";
import { applicationPod, versionPods } from "./pods/application";
import { AdmissionControl, type AwaitAdmission } from "./admission/admission-control";
import { ConsulAcls } from "./discovery/consul-acls";
import { ConsulCluster } from "./discovery/consul-cluster";
import { DistributionRights } from "./controller/distribution-rights";
import { envoyOptions } from "./stack/envoy-options";
import { generationsOf, type AuthorityGenerations } from "./identity/generations";
import { revocationProblems, withdrawals } from "./identity/revocations";
import type { JoinData } from "./joining/join-data";
import { Jaeger } from "./observability/jaeger";
import { MeshController } from "./controller/mesh-controller";
import type { MeshContext } from "./mesh-service";
import { MeshService } from "./mesh-service";
import { NodeResolver } from "./discovery/node-resolver";
import { PodReaders } from "./controller/pod-readers";
import { Prometheus } from "./observability/prometheus";
import { ServiceImage } from "./service-image";
import type { Settings } from "./stack/settings";
import { Zone } from "./zone";

export interface ServiceMeshArgs {
  readonly mesh: Mesh;
  readonly settings: Settings;
  /** `host:port` at which the Consul provider reaches Consul's API: what `forwardConsul` offers. */
  readonly consulAddress: string;
  /** How the admission policies are awaited before what they judge is changed: what `admissionOf` gives. Default: they are not. */
  readonly admission?: AwaitAdmission;
  readonly providers: {
    readonly kubernetes: kubernetes.Provider;
    readonly docker: docker.Provider;
  };
}

/** The whole mesh of one document: zones, discovery, controller, observability, and every service with its sidecar. */
export class ServiceMesh extends pulumi.ComponentResource {
  /** What each service whose pods another stack brings is to be told, by its name: the stack's output `joins`, without a secret. */
  readonly joins: Readonly<Record<string, pulumi.Output<JoinData>>>;

  constructor(name: string, args: ServiceMeshArgs, opts?: pulumi.ComponentResourceOptions) {
    super(
      "lucid:mesh:ServiceMesh",
      name,
      {},
      { ...opts, providers: [args.providers.kubernetes, args.providers.docker] },
    );
    const { mesh, settings } = args;
    const child = { parent: this };
    for (const notice of trafficNotices(mesh)) void pulumi.log.warn(notice, this);
    const revoked = settings.revokedCertificates ?? [];
    const [problem, ...others] = revocationProblems(mesh, revoked);
    if (problem !== undefined) {
      throw new pulumi.RunError(`lucid-mesh:revokedCertificates: ${[problem, ...others].join("; ")}`);
    }

    const admission = new AdmissionControl("admission", { mesh, settings, inForce: args.admission }, child);
    const zones = this.zones(args, admission.settled);
    admission.keep(Object.values(zones));
    const context: MeshContext = {
      mesh,
      zones,
      envoy: {
        ...envoyOptions(settings),
        withdrawals: withdrawals(revoked, generationsByZone(settings), mesh.services),
      },
      certValidityDays: settings.certValidityDays,
      revokedCertificates: revoked,
      startGate: new ServiceImage("start-gate", { service: "start-gate", registry: settings.imageRegistry }, child),
    };

    const consul = new ConsulCluster(
      "consul",
      {
        zone: zones.mesh,
        servers: settings.consulServers,
        clusterIp: settings.consulIp,
        certValidityDays: settings.certValidityDays,
      },
      child,
    );
    const acls = new ConsulAcls("consul-acls", { mesh, cluster: consul, address: args.consulAddress }, child);
    const resolver = new NodeResolver(
      "node-resolver",
      {
        zone: zones.mesh,
        consul,
        consulServers: settings.consulServers,
        agentToken: acls.resolverToken,
        clusterIp: settings.nodeResolverIp,
        certValidityDays: settings.certValidityDays,
      },
      child,
    );
    const controllers = mesh.services.filter(
      ({ name, revoked }) => name === WELL_KNOWN.controller && revoked === undefined,
    );
    const inEachZone = { parent: this, dependsOn: Object.values(zones) };
    const podReaders = new PodReaders(
      "pod-readers",
      { readers: controllers, zones: zonesWithServices(mesh) },
      inEachZone,
    );
    const distributionRights = new DistributionRights(
      "distribution-rights",
      { distributors: controllers, zones: zonesWithServices(mesh) },
      inEachZone,
    );

    const joins: Record<string, pulumi.Output<JoinData>> = {};
    const options = { parent: this, dependsOn: resolver };
    const deployed = new Map<string, pulumi.Resource>();
    const deploy = (service: Service): pulumi.Resource => {
      const { name, workload } = service;
      if (workload.kind === "joined") {
        const joined = new MeshService(name, { context, service }, options);
        if (joined.join !== undefined) joins[name] = joined.join;
        return joined;
      } else if (workload.kind === "application") {
        return new MeshService(name, { context, service, pod: applicationPod(service, workload) }, options);
      } else if (workload.kind === "versions") {
        return new MeshService(name, { context, service, pod: versionPods(service, workload.versions) }, options);
      } else if (workload.kind === "job") {
        const waitFor = neededBy(mesh, service).flatMap((needed) => deployed.get(needed) ?? []);
        return new MeshService(name, { context, service, pod: applicationPod(service, workload), waitFor }, options);
      } else if (name === WELL_KNOWN.prometheus) {
        return new Prometheus(name, { context, service }, options);
      } else if (name === WELL_KNOWN.jaeger) {
        return new Jaeger(name, { context, service }, options);
      } else if (name === WELL_KNOWN.controller) {
        return new MeshController(
          name,
          {
            context,
            service,
            image: new ServiceImage(
              "controller",
              { service: "controller", imageName: "mesh-controller", registry: settings.imageRegistry },
              child,
            ),
            consulIp: settings.consulIp,
            registrarTokens: acls.registrarTokens,
            registryTtl: settings.serviceRegistryTtl,
            waitFor: [podReaders, distributionRights, consul],
          },
          options,
        );
      } else {
        throw unknownComponent(service);
      }
    };
    const jobsLast = [...mesh.services].sort((a, b) => Number(isJob(a)) - Number(isJob(b)));
    for (const service of jobsLast) deployed.set(service.name, deploy(service));
    this.joins = joins;
    this.registerOutputs({});
  }

  private zones(args: ServiceMeshArgs, admission: pulumi.Output<pulumi.Resource[]>): Record<ZoneName, Zone> {
    const { mesh, settings } = args;
    const surroundings = { apiServerCidr: settings.apiServerCidr, apiServerPort: settings.apiServerPort };
    const zone = (name: ZoneName) =>
      new Zone(
        name,
        {
          mesh,
          zone: zoneModel(mesh, name),
          algorithm: settings.certificateAlgorithm,
          generations: generationsOf(name, settings),
          revoked: (settings.revokedCertificates ?? []).filter((entry) => entry.zone === name),
          surroundings,
        },
        { parent: this, dependsOn: admission },
      );
    return { ops: zone("ops"), chain: zone("chain"), wallet: zone("wallet"), mesh: zone("mesh"), edge: zone("edge") };
  }
}

function generationsByZone(settings: Settings): Record<ZoneName, AuthorityGenerations> {
  return Object.fromEntries(ZONES.map((zone) => [zone, generationsOf(zone, settings)])) as Record<
    ZoneName,
    AuthorityGenerations
  >;
}

function zoneModel(mesh: Mesh, name: ZoneName): ZoneModel {
  const model = mesh.zones.find((zone) => zone.name === name);
  if (model === undefined) throw new pulumi.RunError(`the mesh has no zone ${name}`);
  return model;
}

function zonesWithServices(mesh: Mesh): ZoneModel[] {
  return mesh.zones.filter((zone) => mesh.services.some((service) => service.zone === zone.name));
}

/** What has to run before a job does: its callees, and the controller, by which they are found. */
function neededBy(mesh: Mesh, job: Service): readonly string[] {
  return [...new Set([...edgesFrom(mesh, job).map((edge) => edge.to), WELL_KNOWN.controller])];
}

function unknownComponent(service: Service): pulumi.RunError {
  const known = Object.values(WELL_KNOWN).join(", ");
  return new pulumi.RunError(
    `service ${service.name} says \`component: true\`, but only ${known} have a component of their own; give it an image instead`,
  );
}

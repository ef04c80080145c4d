import * as docker from "@pulumi/docker";
import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { ZONES, edgesFrom, isJob, type Mesh, type Service, type Zone as ZoneModel, type ZoneName } from "../mesh";
import { WAY_OUT_DRAIN_SECONDS } from "../mesh/drain";
import { issuerOf, issuingZones } from "../mesh/issuing";
import { trafficNotices } from "../mesh/traffic";
import { WELL_KNOWN } from "../mesh/wire";
import { applicationPod, versionPods } from "./pods/application";
import { sidecarAlonePod } from "./pods/sidecar-alone";
import { AdmissionControl, type AwaitAdmission } from "./admission/admission-control";
import type { DatacenterData } from "./datacenters/datacenter-data";
import { DatacenterGateway } from "./datacenters/gateway";
import { trustElsewhere, withdrawnElsewhere, type ToldDatacenters } from "./datacenters/read-datacenters";
import { tellDatacenter } from "./datacenters/tell-datacenter";
import type { DiscoveryBackend } from "./discovery/backend";
import { discoveryBackend } from "./discovery/backends";
import { Declarations } from "./drift/declarations";
import { DeclarationRecorder } from "./drift/recorder";
import { ElectionRights } from "./controller/election-rights";
import { DriftRights } from "./controller/drift-rights";
import { DistributionRights } from "./controller/distribution-rights";
import { Issuer } from "./issuing/issuer";
import { ZoneIssuing } from "./issuing/zone-issuing";
import { envoyOptions } from "./stack/envoy-options";
import { acceptedOf, generationsOf, type AuthorityGenerations } from "./identity/generations";
import { revocationProblems, withdrawals } from "./identity/revocations";
import type { JoinData } from "./joining/join-data";
import { Jaeger } from "./observability/jaeger";
import { MeshController } from "./controller/mesh-controller";
import type { MeshContext } from "./mesh-service";
import { MeshService } from "./mesh-service";
import { MeshServiceDefinition } from "./mesh-service-definition";
import type { OwnPart } from "./parts/own-part";
import { SHARED_PART, zonesOfPart } from "./parts/part";
import type { PartData } from "./parts/part-data";
import { deployShared, type Shared } from "./parts/shared";
import { tellPart } from "./parts/tell-part";
import { trustByZone } from "./parts/trust-by-zone";
import { PodReaders } from "./controller/pod-readers";
import { Prometheus } from "./observability/prometheus";
import { ServiceImage, imageOfOthers } from "./service-image";
import { StatusRights } from "./controller/status-rights";
import type { Settings } from "./stack/settings";
import { Zone } from "./zone";

export interface ServiceMeshArgs {
  readonly mesh: Mesh;
  readonly settings: Settings;
  /** What of the mesh is made, and what the stacks of the other parts told. Default: all of it, whatever the settings say. */
  readonly part?: OwnPart;
  /** What the stacks of the other datacenters told, where the mesh is in several: what `readDatacenters` gives. Default: nothing, so that nobody there is believed. */
  readonly datacenters?: ToldDatacenters;
  /** `host:port` at which this program reaches the discovery backend's API: what `reachDiscovery` gives. Default: nothing is dialled, as where nothing is deployed. */
  readonly discoveryAddress?: string;
  /** How the admission policies are awaited before what they judge is changed: what `admissionOf` gives. Default: they are not. */
  readonly admission?: AwaitAdmission;
  readonly providers: {
    readonly kubernetes: kubernetes.Provider;
    /** Not needed where part `mesh` is another stack's, which has the images built. */
    readonly docker?: docker.Provider;
  };
}

/** The mesh of one document, or a part of it: zones, discovery, controller, observability, and every service with its sidecar. */
export class ServiceMesh extends pulumi.ComponentResource {
  /** What each service whose pods another stack brings is to be told, by its name: the stack's output `joins`, without a secret. */
  readonly joins: Readonly<Record<string, pulumi.Output<JoinData>>>;
  /** What the stacks of the other parts are to be told, where this one deploys a part: the stack's output `part`, without a secret. */
  readonly told?: pulumi.Output<PartData>;
  /** What the stacks of the other datacenters are to be told, where the mesh is in several: the stack's output `datacenter`, without a secret. */
  readonly toldElsewhere?: pulumi.Output<DatacenterData>;

  constructor(name: string, args: ServiceMeshArgs, opts?: pulumi.ComponentResourceOptions) {
    let declared: (declarations: Declarations) => void = () => undefined;
    const declaration = new Promise<Declarations>((resolve) => (declared = resolve));
    const backend = discoveryBackend(args.settings);
    const recorder = new DeclarationRecorder(
      pulumi.output(declaration.then(({ written }) => [...written])),
      pulumi.output(declaration.then(({ trusted }) => [...trusted])),
      (type, inputs) => backend.declaredOf?.(type, inputs),
    );
    const transformations = [...(opts?.transformations ?? []), recorder.transformation];
    super("lucid:mesh:ServiceMesh", name, {}, { ...opts, providers: Object.values(args.providers), transformations });
    const { mesh, settings, part } = args;
    const own = part === undefined ? ZONES : zonesOfPart(part.zone);
    const child = { parent: this };
    for (const notice of trafficNotices(mesh)) void pulumi.log.warn(notice, this);
    const revoked = settings.revokedCertificates ?? [];
    const [problem, ...others] = revocationProblems(mesh, revoked);
    if (problem !== undefined) {
      throw new pulumi.RunError(`lucid-mesh:revokedCertificates: ${[problem, ...others].join("; ")}`);
    }

    const shares = own.includes(SHARED_PART);
    const admission = shares
      ? new AdmissionControl("admission", { mesh, settings, inForce: args.admission }, child)
      : undefined;
    const zones = this.zones(args, backend, admission?.settled);
    const made = own.flatMap((name) => zones[name] ?? []);
    admission?.keep(made);
    const gate = { service: "start-gate", registry: settings.imageRegistry };
    const startGate = shares ? new ServiceImage("start-gate", gate, child) : imageOfOthers(gate);
    const withdrawn = withdrawals(revoked, generationsByZone(settings), mesh.services);
    const context: MeshContext = {
      mesh,
      zones,
      trust: trustByZone(zones, part),
      elsewhere: trustElsewhere(mesh, args.datacenters),
      envoy: {
        ...envoyOptions(settings),
        withdrawals: [...withdrawn, ...(args.datacenters === undefined ? [] : withdrawnElsewhere(args.datacenters))],
      },
      certValidityDays: settings.certValidityDays,
      issuing: settings.autoRotateCerts,
      revokedCertificates: revoked,
      startGate,
      ...(admission && {
        definition: new MeshServiceDefinition(
          "mesh-service-definition",
          { waitFor: admission.settled, datacenter: mesh.datacenters?.own },
          child,
        ),
      }),
    };

    const shared = zones[SHARED_PART] && deployShared(args, backend, zones[SHARED_PART], this);
    const controllers = mesh.services.filter(
      ({ name, revoked }) => name === WELL_KNOWN.controller && revoked === undefined,
    );
    const inEachZone = { parent: this, dependsOn: made };
    const inhabited = zonesWithServices(mesh).filter(({ name }) => own.includes(name));
    const podReaders = new PodReaders(
      "pod-readers",
      { readers: controllers, zones: inhabited, leases: shares },
      inEachZone,
    );
    const distributionRights = new DistributionRights(
      "distribution-rights",
      { distributors: controllers, zones: inhabited },
      inEachZone,
    );
    const electionRights = new ElectionRights(
      "election-rights",
      { candidates: controllers.filter(({ zone }) => own.includes(zone)) },
      inEachZone,
    );
    const statusRights = new StatusRights("status-rights", { writers: controllers, zones: inhabited }, inEachZone);

    const driftRights = new DriftRights(
      "drift-rights",
      {
        observers: controllers,
        zones: inhabited,
        clusterWide: shares,
        repairs: settings.driftRepairs,
        admissionPolicies: admission?.names ?? [],
      },
      inEachZone,
    );

    const issuers = this.issuers(args, zones, made, shared);
    const joins: Record<string, pulumi.Output<JoinData>> = {};
    // A part's pods are there while the controller may see them, so that it takes out of the registry whom this stack takes away.
    const basis = shared === undefined ? [podReaders, distributionRights, statusRights] : [shared.resolver];
    const options = { parent: this, dependsOn: [...basis, ...issuers] };
    const deployed = new Map<string, Meshed>();
    const deploy = (service: Service): Meshed => {
      const { name, workload } = service;
      if (workload.kind === "joined") {
        const joined = new MeshService(name, { context, service }, options);
        if (joined.join !== undefined) joins[name] = joined.join;
        return joined;
      } else if (workload.kind === "external") {
        return new MeshService(name, { context, service, pod: sidecarAlonePod(WAY_OUT_DRAIN_SECONDS) }, options);
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
      } else if (name === WELL_KNOWN.gateway) {
        return new DatacenterGateway(name, { context, service }, options);
      } else if (name === WELL_KNOWN.controller && shared !== undefined) {
        return new MeshController(
          name,
          {
            context,
            service,
            image: shared.controllerImage(),
            registrar: shared.discovery.registrar,
            registryTtl: settings.serviceRegistryTtl,
            elsewhere: settings.part === "all" ? [] : ZONES.filter((zone) => zone !== SHARED_PART),
            driftRepairs: settings.driftRepairs,
            waitFor: [
              podReaders,
              distributionRights,
              electionRights,
              statusRights,
              driftRights,
              shared.discovery.ready,
            ],
          },
          options,
        );
      } else {
        throw unknownComponent(service);
      }
    };
    const services = mesh.services.filter(({ zone }) => own.includes(zone));
    const jobsLast = services.sort((a, b) => Number(isJob(a)) - Number(isJob(b)));
    for (const service of jobsLast) deployed.set(service.name, deploy(service));
    this.joins = joins;
    const { recorded } = recorder;
    declared(new Declarations("declared", { zones: made, trust: context.trust, recorded }, child));
    if (part !== undefined) {
      this.told = tellPart({
        part,
        trust: context.trust[part.zone],
        generations: acceptedOf(generationsOf(part.zone, settings)),
        written: [...deployed.values()].map(({ written }) => written),
        ...(admission && { shared: { admission: admission.generation, startGate } }),
      });
    }
    if (args.datacenters !== undefined) {
      this.toldElsewhere = tellDatacenter({
        mesh,
        told: args.datacenters,
        trust: context.trust,
        withdrawn,
        written: [...deployed.values()].map(({ written }) => written),
      });
    }
    this.registerOutputs({});
  }

  /** What makes the certificates of the zones, where `pulumi up` does not: what each zone's issuer is given, and the issuers. */
  private issuers(
    { mesh, settings }: ServiceMeshArgs,
    zones: Partial<Readonly<Record<ZoneName, Zone>>>,
    made: readonly Zone[],
    shared: Shared | undefined,
  ): pulumi.Resource[] {
    if (!settings.autoRotateCerts) return [];
    const issuing = issuingZones(mesh);
    const { certificateAlgorithm: algorithm, leafValidityHours: validityHours } = settings;
    const given = new Map(
      made
        .filter(({ model }) => issuing.includes(model.name))
        .map((zone) => {
          const { name } = zone.model;
          const policy = { algorithm, validityHours, revoked: revokedIn(name, settings) };
          return [name, new ZoneIssuing(`${name}-issuing`, { mesh, zone, policy }, { parent: this })] as const;
        }),
    );
    const home = zones[SHARED_PART];
    if (home === undefined || shared === undefined) return [...given.values()];
    const image = shared.controllerImage();
    return issuing.map((zone) => {
      const dependsOn = given.get(zone) ?? [];
      return new Issuer(issuerOf(zone), { zone, home, image }, { parent: this, dependsOn });
    });
  }

  private zones(
    args: ServiceMeshArgs,
    discovery: DiscoveryBackend,
    admission: pulumi.Output<pulumi.Resource[]> | undefined,
  ): Partial<Record<ZoneName, Zone>> {
    const { mesh, settings } = args;
    const { apiServerCidr, apiServerPort } = settings;
    const issuers = settings.autoRotateCerts ? issuingZones(mesh).map(issuerOf) : [];
    const surroundings = { apiServerCidr, apiServerPort, discovery, issuers };
    const zone = (name: ZoneName) =>
      new Zone(
        name,
        {
          mesh,
          zone: zoneModel(mesh, name),
          algorithm: settings.certificateAlgorithm,
          generations: generationsOf(name, settings),
          revoked: (settings.revokedCertificates ?? []).filter((entry) => entry.zone === name),
          ...(settings.autoRotateCerts ? { issuedHours: settings.leafValidityHours } : {}),
          surroundings,
          admittedElsewhere: admission === undefined,
        },
        { parent: this, dependsOn: admission },
      );
    const own = args.part === undefined ? ZONES : zonesOfPart(args.part.zone);
    return Object.fromEntries(own.map((name) => [name, zone(name)]));
  }
}

/** Serial numbers of the certificates of a zone that nobody believes. */
function revokedIn(zone: ZoneName, { revokedCertificates = [] }: Settings): readonly string[] {
  return revokedCertificates.filter((entry) => entry.zone === zone).map(({ serial }) => serial);
}

/** A service that is deployed. */
interface Meshed extends pulumi.Resource {
  /** Known once everything that its sidecar reads is there. */
  readonly written: pulumi.Output<string>;
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

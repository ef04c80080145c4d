/** What of a mesh the policies hold requests against. */
import { type Mesh, type Service, type ZoneName, isJob } from "../mesh";
import { issuedServices, issuerOf, issuingZones } from "../mesh/issuing";
import { NODE_RESOLVER, WELL_KNOWN } from "../mesh/wire";
import { admittedDiscovery, type BackendName } from "./discovery";
import { repositoryOf, spellings } from "./images";
import { networkLeave, registrars, type NetworkLeave } from "./network-leave";

/** Images that the document does not name, as references or repositories. */
export interface AdmissionImages {
  readonly envoy: string;
  readonly startGate: string;
  readonly controller: string;
  readonly prometheus: string;
  readonly jaeger: string;
  readonly consul: string;
  readonly snapshots: string;
  readonly etcd: string;
  readonly coredns: string;
  /** Repositories that services of other stacks may run besides those that the document names. */
  readonly joined: readonly string[];
}

/** What the stack's configuration says of them. */
export interface AdmissionOptions {
  readonly discoveryBackend: BackendName;
  readonly images: AdmissionImages;
  /** CIDR of the Kubernetes API's endpoints, as pods reach them. */
  readonly apiServerCidr: string;
  readonly apiServerPort: number;
  /** Issuers make the certificates of services. Default false. */
  readonly issuing?: boolean;
}

/** A party is `<zone>/<service>`. */
export interface AdmissionData {
  /** Every party, to the repositories that its own containers may run. */
  readonly services: ReadonlyMap<string, readonly string[]>;
  /** Parties without a sidecar. */
  readonly infrastructure: readonly string[];
  /** Parties that nobody is to believe any more. */
  readonly revoked: readonly string[];
  /** Spellings of the sidecar's repository, and of the start gate's. */
  readonly sidecarImages: readonly string[];
  readonly startGateImages: readonly string[];
  /** Parties whose application has a certificate for etcd, in Secret `<service>-etcd-tls`. */
  readonly etcdClients: readonly string[];
  /** Parties whose certificate an issuer makes, to that issuer's name. */
  readonly issued: ReadonlyMap<string, readonly string[]>;
  /** The datacenter that identities here bear; empty where the mesh is in one. */
  readonly datacenter: string;
  readonly network: NetworkLeave;
  /** Ports on the nodes, `<zone>/<service>:<number>/TCP`: the gateway's, where calls of other datacenters arrive, and nobody else's. */
  readonly nodePorts: readonly string[];
  /** Namespaces in which this mesh's own stack runs pods that callers know. */
  readonly inhabited: readonly string[];
}

/** Computes it from the document. */
export function admissionData(mesh: Mesh, options: AdmissionOptions): AdmissionData {
  const { images } = options;
  const discovery = admittedDiscovery(options.discoveryBackend, images);
  const infrastructure = new Map([
    ...[...discovery.parties].map(([name, run]) => [name, repositories(...run)] as const),
    [party("mesh", NODE_RESOLVER.service), repositories(images.coredns, ...discovery.resolverImages)],
    ...issuers(mesh, options).map((name) => [party("mesh", name), repositories(images.controller)] as const),
  ]);
  const declared = mesh.services.flatMap((service) => imagesOf(service, images));
  const services = mesh.services.map((service): [string, readonly string[]] => [
    party(service.zone, service.name),
    service.workload.kind === "joined"
      ? repositories(...declared, ...images.joined)
      : repositories(...imagesOf(service, images)),
  ]);
  return {
    services: new Map([...services, ...infrastructure]),
    infrastructure: [...infrastructure.keys()],
    revoked: mesh.services.filter(({ revoked }) => revoked !== undefined).map(({ zone, name }) => party(zone, name)),
    sidecarImages: repositories(images.envoy),
    startGateImages: repositories(images.startGate),
    etcdClients: discovery.certified(registrars(mesh)),
    issued: new Map(
      (options.issuing === true ? issuingZones(mesh) : []).flatMap((zone) =>
        issuedServices(mesh, zone).map(({ name }) => [party(zone, name), [issuerOf(zone)]] as const),
      ),
    ),
    datacenter: mesh.datacenters?.own ?? "",
    network: networkLeave(mesh, { ...options, issuers: issuers(mesh, options) }, discovery),
    nodePorts: nodePorts(mesh),
    inhabited: [...new Set(mesh.services.filter(isLasting).map(({ namespace }) => namespace))],
  };
}

function nodePorts({ services, datacenters }: Mesh): readonly string[] {
  if (datacenters === undefined || datacenters.arrivals.length === 0) return [];
  return services
    .filter(({ name, revoked }) => name === WELL_KNOWN.gateway && revoked === undefined)
    .map(({ zone, name }) => `${party(zone, name)}:${String(datacenters.gateway.port)}/TCP`);
}

/** `<zone>/<service>`. */
export function party(zone: ZoneName, service: string): string {
  return `${zone}/${service}`;
}

/** Names of the issuers. */
function issuers(mesh: Mesh, { issuing }: Pick<AdmissionOptions, "issuing">): readonly string[] {
  return issuing === true ? issuingZones(mesh).map(issuerOf) : [];
}

/** Whether pods of the service run until this stack takes them away, which takes them the seconds of their drain. */
function isLasting(service: Service): boolean {
  return service.revoked === undefined && service.workload.kind !== "joined" && !isJob(service);
}

/** Images that the document names for a service, or that are the mesh's own. */
function imagesOf({ name, workload }: Service, images: AdmissionImages): readonly string[] {
  switch (workload.kind) {
    case "joined":
      return [];
    case "versions":
      return workload.versions.map(({ image }) => image);
    case "external":
      return [images.envoy];
    case "component":
      return componentImages(name, images);
    default:
      return [workload.image];
  }
}

function componentImages(name: string, images: AdmissionImages): readonly string[] {
  if (name === WELL_KNOWN.prometheus) return [images.prometheus];
  if (name === WELL_KNOWN.jaeger) return [images.jaeger];
  if (name === WELL_KNOWN.gateway) return [images.envoy];
  return [images.controller];
}

/** Every spelling of the repositories of some images, each once. */
function repositories(...images: readonly string[]): readonly string[] {
  return [...new Set(images.flatMap((image) => spellings(repositoryOf(image))))];
}

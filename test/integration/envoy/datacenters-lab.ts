import { execFileSync } from "node:child_process";
import type { EnvoyOptions } from "../../../envoy";
import { peerZone, resolveMesh, serviceNamed, trustDomainOf, trustedZones, validateDocument } from "../../../mesh";
import { ZONES, type Mesh, type PeerZone, type Service } from "../../../mesh/model";
import { SIDECAR_PORTS } from "../../../mesh/wire";
import { datacentersDocument, KEY_SETS } from "../../unit/envoy/datacenters-fixture";
import { OPTIONS } from "../../unit/envoy/fixture";
import { Issuer } from "./issuer";
import { volumes } from "./mesh-lab";
import { Network, type Host } from "./network";
import { Authority, type TrustBundle } from "./pki";
import { labDirectory, removeLabDirectory, Sidecar, type Credentials } from "./sidecar";

/** The two datacenters that are there; the third one, `east`, is declared and away. */
export type Here = "north" | "south";

/** What runs, as `<service>@<datacenter>`. */
const RUNNING = [
  "billing@north",
  "ledger@north",
  "lucid-blocks@north",
  "datacenter-gateway@north",
  "ledger@south",
  "lucid-blocks@south",
  "archive@south",
  "datacenter-gateway@south",
] as const;
export type Running = (typeof RUNNING)[number];

const GATEWAY = "datacenter-gateway";

type DocumentChange = (document: ReturnType<typeof datacentersDocument>) => void;

/** A pod has no NodePort: gateways are dialled at the port behind it. */
const withoutNodePorts = (file: string, text: string): string =>
  file === "clusters.yaml"
    ? text.replaceAll(/port_value: 3044\d/g, `port_value: ${String(SIDECAR_PORTS.inbound)}`)
    : text;

/** Real Envoys of two datacenters, each with its own names, roots and issuer of tokens: both issuers bear the same name, as those of two clusters do. */
export class DatacentersLab {
  private readonly successors: Sidecar[] = [];

  private constructor(
    readonly meshes: Readonly<Record<Here, Mesh>>,
    private readonly network: Network,
    readonly resolvers: Readonly<Record<Here, Host>>,
    readonly stranger: Host,
    /** South's node: gateways elsewhere reach its gateway there. */
    private readonly node: Host,
    private readonly authorities: ReadonlyMap<PeerZone, Authority>,
    readonly sidecars: Readonly<Record<Running, Sidecar>>,
    readonly issuers: Readonly<Record<Here, Issuer>>,
    /** The meshes of a document that says something else. */
    readonly resolve: (change: DocumentChange) => Readonly<Record<Here, Mesh>>,
  ) {}

  static async start(): Promise<DatacentersLab> {
    const network = new Network(labDirectory());
    const host = (name: string) => network.host(name.replace("@", "-"), volumes(name));
    const resolvers = { north: await host("resolver-north"), south: await host("resolver-south") };
    const stranger = await host("stranger");
    const node = await host("node-south");
    const hosts: [Running, Host][] = [];
    for (const name of RUNNING) hosts.push([name, await host(name)]);
    const hostOf = Object.fromEntries(hosts) as Record<Running, Host>;
    const issuers = { north: new Issuer(), south: new Issuer() };
    const resolve = (change?: DocumentChange) =>
      meshesAt({ north: hostOf[`${GATEWAY}@north`].address, south: node.address }, issuers, change);
    const meshes = resolve();
    const authorities = new Map<PeerZone, Authority>();
    for (const datacenter of ["north", "south", "east"]) {
      for (const zone of ZONES) {
        authorities.set(peerZone(zone, datacenter), await Authority.create(trustDomainOf(zone, datacenter)));
      }
    }
    const sidecars = hosts.map(([name, own]) => {
      const [service, datacenter] = parts(name);
      return [name, sidecarAt(serviceNamed(meshes[datacenter], service), own, resolvers[datacenter])] as const;
    });
    const lab = new DatacentersLab(
      meshes,
      network,
      resolvers,
      stranger,
      node,
      authorities,
      Object.fromEntries(sidecars) as Record<Running, Sidecar>,
      issuers,
      resolve,
    );
    await lab.serve();
    return lab;
  }

  host(name: Running): Host {
    return this.sidecars[name].host;
  }

  service(name: Running): Service {
    const [service, datacenter] = parts(name);
    return serviceNamed(this.meshes[datacenter], service);
  }

  /** A certificate and a token of a service, as its own pod has them. */
  async credentials(name: Running): Promise<Credentials> {
    const [, datacenter] = parts(name);
    const service = this.service(name);
    const authority = this.authorities.get(peerZone(service.zone, datacenter));
    if (authority === undefined) throw new RangeError(`no authority of ${service.zone} in ${datacenter}`);
    const leaf = await authority.issue(service.hostname, service.identity);
    return { ...leaf, token: this.issuers[datacenter].issue(service) };
  }

  /** Has the discovery of a datacenter tell these services, and no others of those that run. */
  async tell(datacenter: Here, services: readonly string[]): Promise<void> {
    await this.resolvers[datacenter].call("setRecords", { records: this.records(datacenter, services) });
  }

  /** Has a pod's network be silent to all, or answer again. */
  silence(name: Running, isSilent = true): Promise<void> {
    execFileSync("ip", ["-n", this.host(name).namespace, "link", "set", "eth0", isSilent ? "down" : "up"]);
    return Promise.resolve();
  }

  /** One more pod of a gateway, to which new connections of the others go from now on. Those that stand stay where they are. */
  async succeed(name: `${typeof GATEWAY}@south`): Promise<Sidecar> {
    const host = await this.network.host(`${name.replace("@", "-")}-2`, volumes(`${name}-2`));
    const sidecar = sidecarAt(this.service(name), host, this.resolvers.south);
    this.successors.push(sidecar);
    await this.equip(name, sidecar);
    await this.node.call("passOn", { port: SIDECAR_PORTS.inbound, pod: host.address });
    return sidecar;
  }

  async stop(): Promise<void> {
    await Promise.all([...Object.values(this.sidecars), ...this.successors].map((sidecar) => sidecar.stop()));
    await this.network.close();
    removeLabDirectory();
  }

  private records(datacenter: Here, services: readonly string[]): Record<string, string[]> {
    const there = RUNNING.filter((name) => parts(name)[1] === datacenter && services.includes(parts(name)[0]));
    return Object.fromEntries(there.map((name) => [this.service(name).discoveryName, [this.host(name).address]]));
  }

  private async serve(): Promise<void> {
    for (const datacenter of ["north", "south"] as const) {
      const { address } = this.resolvers[datacenter];
      const records = this.records(
        datacenter,
        RUNNING.map((name) => parts(name)[0]),
      );
      await this.resolvers[datacenter].call("serveDns", { address, port: 53, records, keeps: true });
    }
    for (const name of RUNNING) {
      const [service] = parts(name);
      if (service !== GATEWAY) await this.host(name).call("serveHttp", { service: name, port: 8080 });
      if (service === "lucid-blocks") await this.host(name).call("serveTcp", { port: 9000, banner: `${name}\n` });
      await this.equip(name, this.sidecars[name]);
    }
    await this.node.call("passOn", { port: SIDECAR_PORTS.inbound, pod: this.host(`${GATEWAY}@south`).address });
  }

  /** Mounts what a pod of a service has, and starts it. */
  private async equip(name: Running, sidecar: Sidecar): Promise<void> {
    const [, datacenter] = parts(name);
    const mesh = this.meshes[datacenter];
    const trust: [PeerZone, TrustBundle][] = [];
    for (const zone of trustedZones(mesh, this.service(name))) {
      const authority = this.authorities.get(zone.includes(".") ? zone : (`${zone}.${datacenter}` as PeerZone));
      if (authority === undefined) throw new RangeError(`no authority of ${zone} in ${datacenter}`);
      trust.push([zone, await authority.bundle()]);
    }
    sidecar.mountKeys(this.issuers[datacenter].published);
    sidecar.mount(mesh, await this.credentials(name), Object.fromEntries(trust));
    await sidecar.start();
  }
}

function sidecarAt(service: Service, host: Host, resolver: Host): Sidecar {
  const options: EnvoyOptions = { ...OPTIONS, tracing: false, resolverAddress: resolver.address };
  return new Sidecar(service, host, options, undefined, withoutNodePorts);
}

function parts(name: Running): readonly [service: string, datacenter: Here] {
  const [service = "", datacenter] = name.split("@");
  return [service, datacenter === "south" ? "south" : "north"];
}

function meshesAt(
  gateways: Readonly<Record<Here, string>>,
  issuers: Readonly<Record<Here, Issuer>>,
  change?: DocumentChange,
): Record<Here, Mesh> {
  const document = datacentersDocument();
  // What stands in by TCP stands in where something runs.
  const places = { datacenters: ["north", "south"], failover: ["south", "north"] };
  Object.assign(document.services.find(({ name }) => name === "lucid-blocks") ?? {}, places);
  change?.(document);
  const { north, south, east } = document.datacenters;
  const at = (name: Here) => ({ addresses: [gateways[name]] });
  const checked = validateDocument({
    ...document,
    datacenters: { north: { ...north, gateway: at("north") }, south: { ...south, gateway: at("south") }, east },
  });
  const keySets = {
    ...KEY_SETS,
    "keys/north.json": issuers.north.published.jwks,
    "keys/south.json": issuers.south.published.jwks,
  };
  return {
    north: resolveMesh(checked, { datacenter: "north", keySets }),
    south: resolveMesh(checked, { datacenter: "south", keySets }),
  };
}

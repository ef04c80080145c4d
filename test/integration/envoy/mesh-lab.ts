import * as fs from "node:fs";
import * as path from "node:path";
import { ZONES, type Mesh, type Service, type ZoneName } from "../../../mesh/model";
import { IDENTITY_TOKEN } from "../../../mesh/wire";
import type { EnvoyOptions } from "../../../envoy";
import { everyProtocol, OPTIONS, services } from "../../unit/envoy/fixture";
import { Issuer } from "./issuer";
import { Network, type Host } from "./network";
import { Authority, type Leaf, type Oddities, type TrustBundle } from "./pki";
import { labDirectory, removeLabDirectory, Sidecar, type Change, type Credentials } from "./sidecar";

/** Services that run in the lab. */
export const RUNNING = ["console", "prometheus", "jaeger", "blocks", "router", "controller"] as const;
export type Running = (typeof RUNNING)[number];

/**
 * A small mesh of real Envoys: each service in a network namespace with its application and sidecar, one more host that serves the discovery DNS, and
 * one stranger without a sidecar.
 */
export class MeshLab {
  readonly mesh: Mesh = everyProtocol;
  private readonly renewal = setInterval(() => {
    this.renewTokens();
  }, IDENTITY_TOKEN.lifetimeSeconds * 400);

  private constructor(
    private readonly network: Network,
    readonly resolver: Host,
    readonly stranger: Host,
    readonly authorities: Readonly<Record<ZoneName, Authority>>,
    readonly sidecars: Readonly<Record<Running, Sidecar>>,
    private readonly leaves: Readonly<Record<Running, Leaf>>,
    /** Who issues the identity tokens. */
    readonly issuer: Issuer,
    /** Roots and revocation lists of every zone, as they are mounted at the start. */
    readonly trust: Readonly<Record<ZoneName, TrustBundle>>,
  ) {}

  /**
   * @param more options that differ from the program's
   * @param drainSeconds how long connections of a changed chain are drained. Default: a few seconds, less than in a pod.
   * @param always alters every file that is mounted
   */
  static async start(more: Partial<EnvoyOptions> = {}, drainSeconds?: number, always?: Change): Promise<MeshLab> {
    const directory = labDirectory();
    const network = new Network(directory);
    const authorities = await byName(ZONES, (zone) => Authority.create(zone));
    const resolver = await network.host("resolver", volumes("resolver"));
    const stranger = await network.host("stranger", volumes("stranger"));
    const options: EnvoyOptions = { ...OPTIONS, resolverAddress: resolver.address, ...more };
    const hosts = await byName(RUNNING, (name) => network.host(name, volumes(name)));
    const leaves = await byName(RUNNING, (name) => {
      const { hostname, identity, zone } = services[name];
      return authorities[zone].issue(hostname, identity);
    });
    const trust = await byName(ZONES, (zone) => authorities[zone].bundle());
    const sidecars = await byName(RUNNING, (name) =>
      Promise.resolve(new Sidecar(services[name], hosts[name], options, drainSeconds, always)),
    );
    const lab = new MeshLab(network, resolver, stranger, authorities, sidecars, leaves, new Issuer(), trust);
    await resolver.call("serveDns", { address: resolver.address, port: 53, records: lab.discovery() });
    await Promise.all(RUNNING.map((name) => lab.startPod(name)));
    return lab;
  }

  /** The discovery names of what runs. */
  discovery(): Record<string, string[]> {
    return Object.fromEntries(RUNNING.map((name) => [services[name].discoveryName, [this.host(name).address]]));
  }

  host(name: Running): Host {
    return this.sidecars[name].host;
  }

  /** The certificate that a running service has, and a token of its own. */
  leaf(name: Running): Credentials {
    return { ...this.leaves[name], token: this.issuer.issue(services[name]) };
  }

  /** A certificate of one zone's CA for any identity, also a foreign one, and a token that fits it. */
  async forge(zone: ZoneName, service: Service, odd?: Oddities): Promise<Credentials> {
    const leaf = await this.authorities[zone].issue(service.hostname, service.identity, odd);
    return { ...leaf, token: this.issuer.issue(service) };
  }

  /** What kubelet does before a token is over: a lab may live longer than one. */
  private renewTokens(): void {
    for (const name of RUNNING) {
      this.sidecars[name].mountToken(this.issuer.issue(services[name]));
    }
  }

  async stop(): Promise<void> {
    clearInterval(this.renewal);
    await Promise.all(Object.values(this.sidecars).map((sidecar) => sidecar.stop()));
    await this.network.close();
    removeLabDirectory();
  }

  private async startPod(name: Running): Promise<void> {
    const sidecar = this.sidecars[name];
    const { host } = sidecar;
    for (const port of services[name].ports) {
      if (port.name === "otlp") {
        await host.call("serveOtlp", { port: port.port });
      } else if (port.protocol === "tcp") {
        await host.call("serveTcp", { port: port.port, banner: BANNER });
      } else if (port.protocol === "grpc") {
        await host.call("serveGrpc", { port: port.port });
      } else if (port.protocol === "http2") {
        await host.call("serveHttp2", { port: port.port });
      } else {
        await host.call("serveHttp", { service: name, port: port.port });
      }
    }
    const { metrics, ports }: Service = services[name];
    if (metrics !== undefined && !ports.some(({ port }) => port === metrics.port)) {
      await host.call("serveHttp", { service: name, port: metrics.port });
    }
    sidecar.mountKeys(this.issuer.published);
    sidecar.mount(this.mesh, this.leaf(name), this.trust);
    await sidecar.start();
  }
}

/** What the TCP application says first. */
export const BANNER = "hello from tcp\n";

/** The directory that holds a host's volumes. */
export function volumes(name: string): string {
  const directory = path.join(labDirectory(), name);
  fs.mkdirSync(path.join(directory, "etc/envoy"), { recursive: true });
  fs.mkdirSync(path.join(directory, "var/run/envoy"), { recursive: true });
  fs.chmodSync(path.join(directory, "var/run/envoy"), 0o777);
  fs.writeFileSync(path.join(directory, "resolv.conf"), "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n");
  return directory;
}

async function byName<Name extends string, T>(
  names: readonly Name[],
  make: (name: Name) => Promise<T>,
): Promise<Record<Name, T>> {
  const entries: [Name, T][] = [];
  for (const name of names) {
    entries.push([name, await make(name)]);
  }
  return Object.fromEntries(entries) as Record<Name, T>;
}

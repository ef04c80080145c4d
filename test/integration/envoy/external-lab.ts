import { serviceNamed } from "../../../mesh/edges";
import { resolveMesh, validateDocument } from "../../../mesh";
import { ZONES, type Mesh, type Service, type ZoneName } from "../../../mesh/model";
import type { EnvoyOptions } from "../../../envoy";
import { externalDocument } from "../../unit/envoy/external-fixture";
import { OPTIONS } from "../../unit/envoy/fixture";
import { Issuer } from "./issuer";
import { volumes } from "./mesh-lab";
import { Network, type Host } from "./network";
import type { OutsideCertificate } from "./outside-servers";
import { Authority, type TrustBundle } from "./pki";
import { labDirectory, removeLabDirectory, Sidecar, type Credentials } from "./sidecar";

/** Callers, one who is none, and the ways out. */
const RUNNING = ["ledger", "bystander", "ledger-db", "rates", "legacy"] as const;
type Running = (typeof RUNNING)[number];

/** Machines outside: the database's two instances, and one with everything else. */
export type Outside = "outside-a" | "outside-b" | "outside-c";

/** Health checks as the program has them, but for their pace. */
const hurried = (_file: string, text: string): string =>
  text
    .replaceAll(/^([ -]+(?:no_traffic_|unhealthy_)?interval): (?:30|5)s$/gm, "$1: 0.3s")
    .replaceAll(/^( +timeout): 10s$/gm, "$1: 2s");

/** Real Envoys of a mesh with services outside the cluster, and machines that play these. */
export class ExternalLab {
  private constructor(
    readonly mesh: Mesh,
    private readonly network: Network,
    readonly resolver: Host,
    readonly stranger: Host,
    readonly outside: Readonly<Record<Outside, Host>>,
    /** Signs the services outside. */
    readonly authority: Authority,
    /** Signs others outside. */
    readonly anotherAuthority: Authority,
    private readonly zones: Readonly<Record<ZoneName, Authority>>,
    readonly sidecars: Readonly<Record<Running, Sidecar>>,
    private readonly tokens: Issuer,
  ) {}

  static async start(): Promise<ExternalLab> {
    const network = new Network(labDirectory());
    const host = (name: string) => network.host(name, volumes(name));
    const resolver = await host("resolver");
    const stranger = await host("stranger");
    const outside = {
      "outside-a": await host("outside-a"),
      "outside-b": await host("outside-b"),
      "outside-c": await host("outside-c"),
    };
    const authority = await Authority.create("outside");
    const mesh = meshWith(authority.rootPem, outside);
    const zones: [ZoneName, Authority][] = [];
    for (const zone of ZONES) zones.push([zone, await Authority.create(zone)]);
    const options: EnvoyOptions = { ...OPTIONS, tracing: false, resolverAddress: resolver.address };
    const sidecars: [Running, Sidecar][] = [];
    for (const name of RUNNING) {
      const sidecar = new Sidecar(serviceNamed(mesh, name), await host(name), options, undefined, hurried);
      sidecars.push([name, sidecar]);
    }
    const lab = new ExternalLab(
      mesh,
      network,
      resolver,
      stranger,
      outside,
      authority,
      await Authority.create("another outside"),
      Object.fromEntries(zones) as Record<ZoneName, Authority>,
      Object.fromEntries(sidecars) as Record<Running, Sidecar>,
      new Issuer(),
    );
    await lab.serve();
    return lab;
  }

  host(name: Running): Host {
    return this.sidecars[name].host;
  }

  service(name: string): Service {
    return serviceNamed(this.mesh, name);
  }

  /** A certificate and a token of a service, as its own pod has them. */
  async credentials(name: string): Promise<Credentials> {
    const service = this.service(name);
    const leaf = await this.zones[service.zone].issue(service.hostname, service.identity);
    return { ...leaf, token: this.tokens.issue(service) };
  }

  /** What a service outside proves itself by. */
  async certified(names: readonly string[], authority = this.authority): Promise<OutsideCertificate> {
    return authority.issue(names[0] ?? "nobody", "https://example.org/", { dnsNames: names });
  }

  /** Starts an instance of the database, by the right certificate unless another is given; `plain` by none. */
  async serveDatabase(on: Outside, certificate?: OutsideCertificate | "plain"): Promise<void> {
    const tls = certificate === "plain" ? undefined : (certificate ?? (await this.certified(["db.example.org"])));
    await this.outside[on].call("stopOutside", { port: 5432 });
    await this.outside[on].call("serveOutside", { port: 5432, speaks: "bytes", ...(tls && { tls }) });
  }

  /** Starts the API, by the right certificate unless another is given. */
  async serveRates(certificate?: OutsideCertificate): Promise<void> {
    const tls = certificate ?? (await this.certified(["rates.example.org"]));
    const host = this.outside["outside-c"];
    for (const [port, speaks] of [
      [443, "http"],
      [8443, "http2"],
    ] as const) {
      await host.call("stopOutside", { port });
      await host.call("serveOutside", { port, speaks, tls });
    }
  }

  async stop(): Promise<void> {
    await Promise.all(Object.values(this.sidecars).map((sidecar) => sidecar.stop()));
    await this.network.close();
    removeLabDirectory();
  }

  private async serve(): Promise<void> {
    await this.serveDatabase("outside-a");
    await this.serveDatabase("outside-b");
    await this.serveRates();
    await this.outside["outside-c"].call("serveOutside", { port: 8000, speaks: "http" });
    await this.host("ledger").call("serveHttp", { service: "ledger", port: 8080 });
    await this.host("bystander").call("serveHttp", { service: "bystander", port: 8080 });
    const bundles: [ZoneName, TrustBundle][] = [];
    for (const zone of ZONES) bundles.push([zone, await this.zones[zone].bundle()]);
    const records = Object.fromEntries(
      RUNNING.map((name) => [this.service(name).discoveryName, [this.host(name).address]]),
    );
    await this.resolver.call("serveDns", { address: this.resolver.address, port: 53, records });
    await Promise.all(
      RUNNING.map(async (name) => {
        this.sidecars[name].mountKeys(this.tokens.published);
        const trust = Object.fromEntries(bundles) as Record<ZoneName, TrustBundle>;
        this.sidecars[name].mount(this.mesh, await this.credentials(name), trust);
        await this.sidecars[name].start();
      }),
    );
  }
}

function meshWith(authorities: string, outside: Readonly<Record<Outside, Host>>): Mesh {
  const document = externalDocument(authorities);
  const addresses: Readonly<Record<string, readonly string[]>> = {
    "ledger-db": [outside["outside-a"].address, outside["outside-b"].address],
    rates: [outside["outside-c"].address],
    legacy: [outside["outside-c"].address],
  };
  const services = document.services.map((service) =>
    "external" in service
      ? { ...service, external: { ...service.external, addresses: addresses[service.name] } }
      : service,
  );
  return resolveMesh(validateDocument({ ...document, services }));
}

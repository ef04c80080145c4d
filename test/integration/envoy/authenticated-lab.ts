import * as path from "node:path";
import { X509Certificate } from "node:crypto";
import type { EnvoyOptions } from "../../../envoy";
import { serviceNamed } from "../../../mesh/edges";
import { ZONES, type Mesh, type Service, type ZoneName } from "../../../mesh/model";
import { AUDIENCE, authenticatedMesh, ISSUER } from "../../unit/envoy/authenticated";
import { OPTIONS } from "../../unit/envoy/fixture";
import { BANNER, volumes } from "./mesh-lab";
import { Issuer as TokenIssuer } from "./issuer";
import { Network, type Host } from "./network";
import { Authority, type Leaf, type TrustBundle } from "./pki";
import { labDirectory, removeLabDirectory, Sidecar, type Credentials } from "./sidecar";
import { Issuer, now } from "./tokens";

const RUNNING = ["storefront", "portal", "verdict"] as const;
type Running = (typeof RUNNING)[number];

const DEPS = path.join(path.dirname(require.resolve("@grpc/grpc-js-xds/package.json")), "deps");
const PROTOS = [
  ...["envoy-api", "xds", "protoc-gen-validate", "googleapis"].map((name) => path.join(DEPS, name)),
  path.dirname(require.resolve("protobufjs/package.json")),
];

/** Real Envoys of a mesh with end users and an authenticator: a caller, the service that asks, and the one that answers; and a stranger. */
export class AuthenticatedLab {
  private constructor(
    readonly mesh: Mesh,
    readonly issuer: Issuer,
    private readonly network: Network,
    readonly resolver: Host,
    readonly stranger: Host,
    private readonly authorities: Readonly<Record<ZoneName, Authority>>,
    readonly sidecars: Readonly<Record<Running, Sidecar>>,
    readonly leaves: Readonly<Record<Running, Credentials>>,
    /** Who issues the identity tokens of the services themselves. */
    private readonly tokens: TokenIssuer,
  ) {}

  static async start(): Promise<AuthenticatedLab> {
    const issuer = new Issuer(() => ({
      iss: ISSUER,
      aud: AUDIENCE,
      sub: "alice",
      iat: now(),
      exp: now() + 600,
      email_verified: true,
    }));
    const mesh = authenticatedMesh(issuer.jwks);
    const network = new Network(labDirectory());
    const zones: [ZoneName, Authority][] = [];
    for (const zone of ZONES) zones.push([zone, await Authority.create(zone)]);
    const authorities = Object.fromEntries(zones) as Record<ZoneName, Authority>;
    const resolver = await network.host("resolver", volumes("resolver"));
    const stranger = await network.host("stranger", volumes("stranger"));
    const options: EnvoyOptions = { ...OPTIONS, tracing: false, resolverAddress: resolver.address };
    const sidecars: [Running, Sidecar][] = [];
    const leaves: [Running, Credentials][] = [];
    const tokens = new TokenIssuer();
    for (const name of RUNNING) {
      const service = serviceNamed(mesh, name);
      sidecars.push([name, new Sidecar(service, await network.host(name, volumes(name)), options)]);
      const leaf = await authorities[service.zone].issue(service.hostname, service.identity);
      leaves.push([name, { ...leaf, token: tokens.issue(service) }]);
    }
    const lab = new AuthenticatedLab(
      mesh,
      issuer,
      network,
      resolver,
      stranger,
      authorities,
      Object.fromEntries(sidecars) as Record<Running, Sidecar>,
      Object.fromEntries(leaves) as Record<Running, Credentials>,
      tokens,
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

  /** Another certificate for the same service, of its zone's own authority. */
  async another(name: Running): Promise<Credentials> {
    const service = this.service(name);
    const leaf = await this.authorities[service.zone].issue(service.hostname, service.identity);
    return { ...leaf, token: this.tokens.issue(service) };
  }

  /** Starts what answers questions, at the authenticator's port. */
  async answerQuestions(): Promise<void> {
    const port = this.service("verdict").ports.find(({ name }) => name === "grpc")?.port ?? 0;
    await this.host("verdict").call("serveVerdicts", { port, protos: PROTOS });
  }

  async stop(): Promise<void> {
    await Promise.all(Object.values(this.sidecars).map((sidecar) => sidecar.stop()));
    await this.network.close();
    removeLabDirectory();
  }

  private async serve(): Promise<void> {
    const bundles: [ZoneName, TrustBundle][] = [];
    for (const zone of ZONES) bundles.push([zone, await this.authorities[zone].bundle()]);
    const trust = Object.fromEntries(bundles) as Record<ZoneName, TrustBundle>;
    const records = Object.fromEntries(
      RUNNING.map((name) => [this.service(name).discoveryName, [this.host(name).address]]),
    );
    await this.resolver.call("serveDns", { address: this.resolver.address, port: 53, records });
    const portal = this.host("portal");
    for (const { protocol, port } of this.service("portal").ports) {
      if (protocol === "tcp") await portal.call("serveTcp", { port, banner: BANNER });
      else if (protocol === "grpc") await portal.call("serveGrpc", { port });
      else await portal.call("serveHttp", { service: "portal", port });
    }
    await this.answerQuestions();
    await Promise.all(
      RUNNING.map(async (name) => {
        this.sidecars[name].mountKeys(this.tokens.published);
        this.sidecars[name].mount(this.mesh, this.leaves[name], trust);
        await this.sidecars[name].start();
      }),
    );
  }
}

/** SHA-256 fingerprint of a chain's leaf, as lower-case hex. */
export function fingerprint({ certificate }: Leaf): string {
  return new X509Certificate(certificate).fingerprint256.replaceAll(":", "").toLowerCase();
}

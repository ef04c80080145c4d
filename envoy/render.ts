import { createHash } from "node:crypto";
import { callsFrom, peerNamed, tokenDatacenters, type OutgoingCall } from "../mesh/datacenters/calls";
import { isDialled } from "../mesh/edges";
import type { Mesh, Service } from "../mesh/model";
import { IDENTITY_TOKEN } from "../mesh/wire";
import { adminListener } from "./listeners/admin";
import { bootstrap } from "./process/bootstrap";
import { applicationCluster, healthTarget, metricsTarget } from "./clusters";
import { arrivalClusters } from "./datacenters/arrival";
import { callClusters } from "./datacenters/crossing";
import { departureListener, linkClusters } from "./datacenters/departure";
import { dnsListener } from "./listeners/dns";
import { healthListener } from "./listeners/health";
import { inboundListener } from "./listeners/inbound";
import { CREDENTIAL_FILE, renderCredentialSds } from "./identity/identity-token";
import { inspectionListener } from "./listeners/inspection";
import { any, type Message } from "./message";
import type { EnvoyOptions } from "./options";
import { outboundListener } from "./listeners/outbound";
import { isScraper, scrapeCluster, scrapedZones, scrapeListener } from "./listeners/scrape";
import { renderTokens, tokensFile } from "./identity/token-keys";
import { CERTIFICATE_FILE, renderCertificateSds } from "./identity/tls";
import { withWithdrawals } from "./identity/withdrawals";
import { toYaml } from "./yaml";

/** The files of one sidecar, by name, as they stand together in ConfigMap `<service>-envoy`. They hold no key and no certificate. */
export interface SidecarFiles {
  /** Static; a change of it takes effect at the next start. */
  readonly "bootstrap.yaml": string;
  /** LDS; reloaded. */
  readonly "listeners.yaml": string;
  /** CDS; reloaded. */
  readonly "clusters.yaml": string;
  /** SDS; says where the certificate and its key lie. */
  readonly "certificate.yaml": string;
  /** SDS; says where the identity token lies. */
  readonly "credential.yaml": string;
  /** ECDS; refuses every token, and stands until the controller has mirrored the cluster's keys (see `renderTokens`). */
  readonly "tokens.yaml": string;
  /** ECDS; by whose keys tokens of callers in another datacenter are checked. */
  readonly [tokensElsewhere: `tokens.${string}.yaml`]: string;
}

/**
 * Everything that the sidecar of one service is told, scoped to that service's own edges.
 *
 * @throws RangeError when the mesh contradicts itself (an edge to a port that does not exist)
 */
export function renderSidecar(mesh: Mesh, service: Service, options: EnvoyOptions): SidecarFiles {
  const calls = callsFrom(mesh, service);
  const marked = withWithdrawals(
    { listeners: listeners(mesh, service, calls, options), clusters: clusters(mesh, service, calls, options) },
    options.withdrawals ?? [],
  );
  return {
    "bootstrap.yaml": toYaml(bootstrap(mesh, service)),
    "listeners.yaml": discoveryFile(marked.listeners),
    "clusters.yaml": discoveryFile(marked.clusters.map((cluster) => any("envoy.config.cluster.v3.Cluster", cluster))),
    [CERTIFICATE_FILE]: renderCertificateSds(),
    [CREDENTIAL_FILE]: renderCredentialSds(),
    [IDENTITY_TOKEN.keysFile]: renderTokens(),
    ...Object.fromEntries(tokenDatacenters(mesh, service).map((name) => [tokensFile(name), tokensOf(mesh, name)])),
  };
}

function tokensOf(mesh: Mesh, datacenter: string): string {
  const { issuer, keySet: jwks } = peerNamed(mesh, datacenter).tokens;
  return renderTokens({ issuer, jwks }, datacenter);
}

function listeners(mesh: Mesh, service: Service, calls: readonly OutgoingCall[], options: EnvoyOptions): Message[] {
  return [
    inboundListener(mesh, service, options),
    ...calls.filter(({ edge }) => isDialled(edge)).map((call) => outboundListener(mesh, service, call, options)),
    departureListener(mesh, service),
    dnsListener(mesh, service, options),
    healthListener(service),
    inspectionListener(mesh, service),
    adminListener(service, options),
    ...(isScraper(service) ? scrapedZones(mesh).map((zone) => scrapeListener(mesh, service, zone)) : []),
  ].filter((listener) => listener !== undefined);
}

function clusters(mesh: Mesh, service: Service, calls: readonly OutgoingCall[], options: EnvoyOptions): Message[] {
  return [
    ...service.ports.map((port) => applicationCluster(service, port)),
    ...(service.health === undefined ? [] : healthTarget(service, service.health).own),
    ...(service.metrics === undefined ? [] : metricsTarget(service, service.metrics).own),
    ...calls.flatMap((call) => callClusters(mesh, service, call, options)),
    ...linkClusters(mesh, service),
    ...arrivalClusters(mesh, service, options),
    ...(isScraper(service) ? scrapedZones(mesh).map((zone) => scrapeCluster(mesh, service, zone)) : []),
  ];
}

/** A `DiscoveryResponse`. Its version is a digest of what it says, so a running Envoy can be asked which generation it has. */
function discoveryFile(resources: readonly Message[]): string {
  const version = createHash("sha256").update(JSON.stringify(resources)).digest("hex").slice(0, 16);
  return toYaml({ version_info: version, resources });
}

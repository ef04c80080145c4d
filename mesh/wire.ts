/** Ports, addresses and labels that every layer agrees on. The single place where they are written down. */
import { ZONES, type PeerZone, type ZoneName } from "./model";

/** Ports of a sidecar. */
export const SIDECAR_PORTS = {
  /** mTLS 1.3; calls from other services. */
  inbound: 15001,
  /** Loopback only: `/ready` and `/stats`, read-only, for the application. */
  admin: 15000,
  /** Plain text, for kubelet alone: `GET /ready` (Envoy), `GET /health` (the application). */
  health: 15021,
  /** mTLS; `/stats/prometheus` and `/metrics` for Prometheus, {@link INSPECTED_PATHS} for the controller. */
  inspection: 15090,
} as const;

/**
 * Loopback port of the forward proxy into a zone, in the sidecars of who inspects the others: Prometheus (`proxy_url`) and the controller. It is asked for the whole
 * address, `GET http://<pod IP>:15090/<path>`.
 */
export function scrapePort(zone: ZoneName): number {
  return 15300 + ZONES.indexOf(zone);
}

/** What Prometheus asks of a pod's inspection listener, by GET and by exactly this path. */
export const SCRAPED_PATHS = {
  /** Envoy's statistics. */
  sidecar: "/stats/prometheus",
  /** What the application tells by itself, wherever it does so (`metrics` of the document). */
  application: "/metrics",
} as const;

/**
 * What the controller asks of a pod's inspection listener, by GET and by exactly this, query included: the sidecar's state and its certificates, and no part of its
 * configuration.
 *
 * @see https://www.envoyproxy.io/docs/envoy/latest/operations/admin
 */
export const INSPECTED_PATHS = {
  /**
   * Statistics of Envoy's listener and cluster managers, among them the versions of the files that it accepted last as a whole. The versions that `/config_dump` shows
   * are no proof: they move on where a part of the file was rejected.
   */
  state: "/stats?filter=_manager.",
  /** The certificates that it serves and those that it believes, without keys. */
  certificates: "/certs",
} as const;

/** Jobs of Prometheus are named `<kind>-<zone>`. */
export const SCRAPE_JOBS = { sidecars: "sidecars", applications: "applications" } as const;

/** Matcher of PromQL for what sidecars themselves have counted. An application may call its own metrics as it likes, a sidecar's names among them; the job it can't choose. */
export const FROM_SIDECARS = `job=~"${SCRAPE_JOBS.sidecars}-.+"`;

/** Label of a target whose application tells metrics of its own: `true`. Prometheus drops labels that begin so once it has chosen by them. */
export const METRICS_LABEL = "__meta_lucid_metrics";

/** First label of the SNI of the inspection listener, `inspection.<caller zone>`: a scraper knows a pod by its address alone. */
export const INSPECTION_PORT_NAME = "inspection";

/** Seconds by which clocks may differ. */
export const CLOCK_LIMITS = {
  /** What is worth a look. */
  notable: 4,
  /** More, and identity tokens are refused (`clock_skew_seconds` of the sidecars' token check). */
  most: 10,
} as const;

/** Services with a part in the mesh itself, by their names in the document. */
export const WELL_KNOWN = {
  prometheus: "prometheus",
  jaeger: "jaeger",
  controller: "mesh-controller",
  gateway: "datacenter-gateway",
} as const;

/** SNI that selects the filter chain for calls to one port of a service from one zone. */
export function serverName(port: string, service: string, callerZone: PeerZone): string {
  return `${port}.${service}.${callerZone}`;
}

/** SNI of a call from another datacenter: it names the callee's too, by which the caller's gateway knows where it goes. */
export function crossingServerName(port: string, service: string, datacenter: string, callerZone: PeerZone): string {
  return serverName(port, `${service}.${datacenter}`, callerZone);
}

/** The gateway of a datacenter, by which calls leave and arrive. */
export const GATEWAY = {
  /** Port of its sidecar that takes the TLS of calls which leave, and passes it on without ending it. */
  departurePort: 15443,
  /** First label of the server name by which another datacenter's gateway enters. */
  link: "link",
} as const;

/** Labels by which pods are selected. Values never change for the life of a service. */
export const LABELS = {
  name: "app.kubernetes.io/name",
  partOf: "app.kubernetes.io/part-of",
  version: "app.kubernetes.io/version",
  managedBy: "app.kubernetes.io/managed-by",
  /** On pods and namespaces: the zone's name. */
  zone: "lucid.internal/zone",
  /** On pods that carry a sidecar: `true`. The controller registers these. */
  meshed: "lucid.internal/meshed",
  /** On pods that run to completion: `true`. Nobody calls them, so the controller doesn't register them. */
  completes: "lucid.internal/completes",
} as const;

/** Annotation of `<service>-trust`: when the certificate beside it runs out (RFC 3339), for who may not read the Secret. */
export const CERTIFICATE_END = "lucid.internal/certificate-not-after";

/** Name of the sidecar's container in a pod, among its init containers. */
export const SIDECAR_CONTAINER = "sidecar";

/** Value of `app.kubernetes.io/part-of` on everything of the mesh. */
export const PART_OF = "lucid-mesh";

/** The DNS domain of discovery; its names are `<service>.service.<this>`. */
export const DISCOVERY_DOMAIN = "discovery.lucid.internal";

/** What the tag of a version's instances begins with; tags are looked up in DNS, so a tag is a DNS label. */
export const VERSION_TAG_PREFIX = "v-";

/** Where a sidecar's volumes are mounted. */
export const SIDECAR_PATHS = {
  /**
   * ConfigMaps `<service>-envoy` (bootstrap.yaml, listeners.yaml, clusters.yaml, certificate.yaml) and `<service>-trust` (`<zone>.yaml`, an SDS
   * validation context with that zone's roots inline, for peers' zones only), in one projected volume: kubelet changes all files of a volume at once,
   * so that a listener never arrives before the roots that it asks for, which Envoy would reject for good.
   */
  config: "/etc/envoy/config",
  /** Secret `<service>-tls`: tls.crt (leaf and issuing CA), tls.key. */
  certificate: "/etc/envoy/certificate",
  /** Projected service-account token of the pod (see {@link IDENTITY_TOKEN}), in a volume of the sidecar alone. */
  token: "/etc/envoy/token",
  /** emptyDir of the sidecar alone: admin.sock. */
  run: "/var/run/envoy",
} as const;

/** The second factor of a call: the caller's service-account token, bound to its certificate. */
export const IDENTITY_TOKEN = {
  /** Audience that the tokens are issued for and that every sidecar requires: a token for the Kubernetes API is none for the mesh, and the other way round. */
  audience: "mesh.lucid.internal",
  /** Life in seconds; the shortest that Kubernetes issues. kubelet writes a new one when four fifths of it are over. */
  lifetimeSeconds: 600,
  /** Its file in the sidecar's volume. */
  file: "token",
  /** Header that carries it from sidecar to sidecar. Set by the caller's sidecar whatever the application sent, taken out by the callee's. */
  header: "x-lucid-identity-token",
  /** ConfigMap of each namespace, written by the controller: the cluster's issuer and public keys in the form that sidecars read. */
  keysConfigMap: "mesh-tokens",
  /** The one entry of that ConfigMap. `<service>-envoy` has an entry of the same name without a key, which stands until the other is there. */
  keysFile: "tokens.yaml",
} as const;

/** Consul in zone `mesh`. */
export const CONSUL = {
  service: "consul",
  httpsPort: 8501,
  /** On the pods' loopback only; reached by a port-forward through the Kubernetes API. */
  httpPort: 8500,
  rpcPort: 8300,
  gossipPort: 8301,
  dnsPort: 8600,
  datacenter: "dc1",
} as const;

/** Snapshots of Consul's state, by a container beside each of its servers. */
export const SNAPSHOTS = {
  container: "snapshots",
  /** The one entry of Secret `consul-snapshots`: what Consul is asked for snapshots by. */
  tokenFile: "token",
  /** `GET /metrics`, on the pods' loopback only; reached by a port-forward. */
  metricsPort: 9103,
} as const;

/** etcd in zone `mesh`, where it is the discovery backend. */
export const ETCD = {
  service: "etcd",
  clientPort: 2379,
  peerPort: 2380,
  /** Keeps its users and roles as the document has them. */
  access: "etcd-access",
  /** Where that keeper says whether it does. */
  accessPort: 8080,
  /** Identity of the registrar's certificate. No pod runs as it. */
  client: "etcd-client",
} as const;

/** The node resolver: CoreDNS on each node, before the discovery backend. */
export const NODE_RESOLVER = {
  service: "node-resolver",
  dnsPort: 53,
  /**
   * A port of the node resolver that its own NetworkPolicy lets every meshed pod reach and that no meshed pod's policy allows: the start gate tries it, and
   * a pod whose application may start is one that could not reach it.
   */
  canaryPort: 8181,
} as const;

/**
 * The live canary: a port that every sidecar serves (kubelet asks it whether the pod is ready), to which the controller's own NetworkPolicy lets it out and no pod's lets it in. Beside it is
 * one that is open in both directions, so that an enforced policy can be told from a pod that doesn't answer.
 */
export const LIVE_CANARY = { closed: SIDECAR_PORTS.health, open: SIDECAR_PORTS.inspection } as const;

import { renderSidecar, renderTrust } from "../../../../envoy";
import { inspectorsOf, isDialled, peerZones, serviceNamed } from "../../../../mesh";
import type { Edge, Mesh, Protocol, Service } from "../../../../mesh";
import { pathPattern } from "../../../../policies/reachability/envoy";
import type { Carries, Declaration, DeclaredEdge, RequestRule } from "../../../../policies/reachability/envoy";
import type { JsonObject } from "../../support/edit";
import { OPTIONS } from "../../../unit/envoy/fixture";

/** A zone's root, as far as text can be one: every zone has another. */
export function rootOf(zone: string): string {
  return pem("CERTIFICATE", `root of ${zone}`);
}

function pem(kind: string, text: string): string {
  return `-----BEGIN ${kind}-----\n${Buffer.from(text).toString("base64")}\n-----END ${kind}-----\n`;
}

/** The objects by which a mesh's sidecars are what they are, as `envoy/` renders their files. */
export function objectsOf(mesh: Mesh): JsonObject[] {
  return mesh.services.flatMap((service) => [
    configMap(service, "envoy", { ...renderSidecar(mesh, service, OPTIONS) }),
    configMap(
      service,
      "trust",
      Object.fromEntries(
        peerZones(mesh, service).map((zone) => [
          `${zone}.yaml`,
          renderTrust(zone, rootOf(zone), pem("X509 CRL", `revoked of ${zone}`)),
        ]),
      ),
    ),
    { apiVersion: "v1", kind: "ServiceAccount", metadata: metadataOf(service, service.name) },
    deployment(service),
  ]);
}

function metadataOf({ zone }: Service, name: string): JsonObject {
  return { namespace: `lucid-${zone}`, name };
}

function configMap(service: Service, suffix: string, data: JsonObject): JsonObject {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: metadataOf(service, `${service.name}-${suffix}`), data };
}

/** What of a pod decides whose files its sidecar reads. */
function deployment(service: Service): JsonObject {
  const { name } = service;
  const token = { serviceAccountToken: { audience: "mesh.lucid.internal", expirationSeconds: 600, path: "token" } };
  const volumes: JsonObject[] = [
    {
      name: "config",
      projected: {
        sources: [
          { configMap: { name: `${name}-envoy` } },
          { configMap: { name: `${name}-trust` } },
          { configMap: { name: "mesh-tokens", optional: true } },
        ],
      },
    },
    { name: "token", projected: { sources: [token] } },
    { name: "certificate", secret: { secretName: `${name}-tls` } },
  ];
  const volumeMounts = ["config", "token", "certificate"].map((volume) => ({
    name: volume,
    mountPath: `/etc/envoy/${volume}`,
  }));
  const spec = { serviceAccountName: name, initContainers: [{ name: "envoy", volumeMounts }], volumes };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: metadataOf(service, name),
    spec: { template: { spec } },
  };
}

/** What the document of a mesh declares, in the words of the proof. Nothing here comes from what renders the files. */
export function declarationOf(mesh: Mesh): Declaration {
  const partyOf = (name: string) => `${serviceNamed(mesh, name).zone}/${name}`;
  const inspection = mesh.services.flatMap((service) =>
    inspectorsOf(mesh, service).map((inspector): DeclaredEdge => {
      const isScraper = inspector.name === "prometheus";
      const paths = isScraper ? ["/stats/prometheus"] : ["/config_dump", "/certs"];
      return {
        from: partyOf(inspector.name),
        to: partyOf(service.name),
        port: "inspection",
        target: "admin",
        carries: "requests",
        requests: [{ methods: ["GET"], paths: paths.map(pathPattern) }],
        // The controller itself asks; no sidecar stands before it then.
        ...(isScraper ? { byAddress: true } : { only: "callee" }),
      };
    }),
  );
  return {
    edges: [...mesh.edges.map((edge) => declared(mesh, edge, partyOf)), ...inspection],
    openings: mesh.services.flatMap((service) => [
      { party: partyOf(service.name), request: "GET /ready", target: "admin/ready" },
      ...(service.health === undefined
        ? []
        : [
            {
              party: partyOf(service.name),
              request: "GET /health",
              target: `${targetOf(service, service.health.port)}${service.health.path}`,
            },
          ]),
    ]),
    resolver: `${OPTIONS.resolverAddress}:53`,
    lookedUp: (party) => {
      const service = serviceNamed(mesh, party.split("/")[1] ?? "");
      const { workload, discoveryName } = service;
      const versions = workload.kind === "versions" ? workload.versions.map(({ name }) => name) : [];
      return [discoveryName, ...versions.map((version) => `v-${version}.${discoveryName}`)];
    },
  };
}

function declared(mesh: Mesh, edge: Edge, partyOf: (name: string) => string): DeclaredEdge {
  const callee = serviceNamed(mesh, edge.to);
  const port = callee.ports.find(({ name }) => name === edge.port);
  if (port === undefined) throw new RangeError(`${edge.to} has no port ${edge.port}`);
  const further = [
    ...(port.endUsers === undefined ? [] : (["end-users"] as const)),
    ...(port.asksAuthenticator === true ? (["authenticator"] as const) : []),
  ];
  return {
    from: partyOf(edge.from),
    to: partyOf(edge.to),
    port: edge.port,
    target: targetOf(callee, port.port),
    carries: carriedBy(port.protocol),
    requests: edge.rules.map(({ methods, paths }): RequestRule => ({
      ...(methods.length === 0 ? {} : { methods }),
      ...(paths.length === 0 ? {} : { paths: paths.map(pathPattern) }),
    })),
    ...(edge.until === undefined ? {} : { until: edge.until }),
    ...(isDialled(edge) ? { dialled: { name: callee.hostname, port: port.dialPort } } : {}),
    further,
  };
}

/** Where a port of the application is, and how it is spoken to. */
function targetOf({ ports }: Service, port: number): string {
  const protocol = ports.find((candidate) => candidate.port === port)?.protocol;
  return `127.0.0.1:${String(port)}${protocol === "grpc" || protocol === "http2" ? " by HTTP/2" : ""}`;
}

function carriedBy(protocol: Protocol): Carries {
  if (protocol === "tcp") return "bytes";
  return protocol === "websocket" ? "websocket" : "requests";
}

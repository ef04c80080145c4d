import { renderSidecar, renderTrust } from "../../../../envoy";
import { trustedZones } from "../../../../mesh";
import type { Mesh, PeerZone, Service } from "../../../../mesh";
import type { Declaration } from "../../../../policies/reachability/envoy";
import { sidecarDeclaration } from "../../../../proof";
import type { JsonObject } from "../../support/edit";
import { OPTIONS } from "../../../unit/envoy/fixture";

/** A zone's root, as far as text can be one: every zone has another. */
export function rootOf(zone: string): string {
  return pem("CERTIFICATE", `root of ${zone}`);
}

/** The file of a zone's trust. */
export function trustFileOf(zone: string): string {
  return renderTrust(zone as PeerZone, rootOf(zone), pem("X509 CRL", `revoked of ${zone}`));
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
      Object.fromEntries(trustedZones(mesh, service).map((zone) => [`${zone}.yaml`, trustFileOf(zone)])),
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

/** What the document of a mesh declares, where the tests' resolver is; parties are called as the evaluator calls them. */
export function declarationOf(mesh: Mesh): Declaration {
  return { ...sidecarDeclaration(mesh, { nodeResolverIp: OPTIONS.resolverAddress }), nameOf: (party) => party };
}

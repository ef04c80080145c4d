import { LABELS, WELL_KNOWN } from "../../mesh/wire";
import type { Mesh, Service, ZoneName } from "../../mesh";

/** A NetworkPolicy peer, port and rule in the wire shape of `networking.k8s.io/v1`; plain data. */
export interface NetworkPolicyPeer {
  readonly namespaceSelector?: { readonly matchLabels: Readonly<Record<string, string>> };
  readonly podSelector?: { readonly matchLabels: Readonly<Record<string, string>> };
  readonly ipBlock?: { readonly cidr: string };
}

export interface NetworkPolicyPort {
  readonly protocol: "TCP" | "UDP";
  readonly port: number;
}

/** One direction's permission: every peer on every port. */
export interface Permission {
  readonly peers: readonly NetworkPolicyPeer[];
  readonly ports: readonly NetworkPolicyPort[];
}

export interface NetworkPolicySpec {
  readonly podSelector: { readonly matchLabels: Readonly<Record<string, string>> };
  readonly policyTypes: readonly ("Ingress" | "Egress")[];
  readonly ingress: readonly {
    readonly from: readonly NetworkPolicyPeer[];
    readonly ports: readonly NetworkPolicyPort[];
  }[];
  readonly egress: readonly {
    readonly to: readonly NetworkPolicyPeer[];
    readonly ports: readonly NetworkPolicyPort[];
  }[];
}

/** Label that Kubernetes itself puts on every namespace; nobody else can set it to another namespace's name. */
const NAMESPACE_NAME = "kubernetes.io/metadata.name";

/**
 * Pods of one name in one namespace. Namespace and pod selector stand in *one* peer: as two peers they would be an OR, and open the pod to the
 * whole namespace (https://kubernetes.io/docs/concepts/services-networking/network-policies/#behavior-of-to-and-from-selectors).
 */
export function pods(namespace: string, name: string): NetworkPolicyPeer {
  return podsWith(namespace, { [LABELS.name]: name });
}

/** Pods of one namespace that bear these labels. */
export function podsWith(namespace: string, labels: Readonly<Record<string, string>>): NetworkPolicyPeer {
  return {
    namespaceSelector: { matchLabels: { [NAMESPACE_NAME]: namespace } },
    podSelector: { matchLabels: { ...labels } },
  };
}

/** Pods of a service. */
export function servicePods(service: Service): NetworkPolicyPeer {
  return pods(service.namespace, service.name);
}

/** Pods of who registers instances: the controller, while it is believed. */
export function registrarPods(mesh: Mesh): NetworkPolicyPeer[] {
  return mesh.services
    .filter(({ name, revoked }) => name === WELL_KNOWN.controller && revoked === undefined)
    .map(servicePods);
}

/** Every pod of a zone that carries a sidecar. */
export function meshedPods(zone: { readonly name: ZoneName; readonly namespace: string }): NetworkPolicyPeer {
  return podsWith(zone.namespace, { [LABELS.meshed]: "true" });
}

/** The cluster's own DNS. */
export function clusterDns(): NetworkPolicyPeer {
  return podsWith("kube-system", { "k8s-app": "kube-dns" });
}

/** Addresses outside the cluster's pods. */
export function addresses(cidr: string): NetworkPolicyPeer {
  return { ipBlock: { cidr } };
}

export function tcp(...ports: readonly number[]): NetworkPolicyPort[] {
  return ports.map((port) => ({ protocol: "TCP", port }));
}

export function udp(...ports: readonly number[]): NetworkPolicyPort[] {
  return ports.map((port) => ({ protocol: "UDP", port }));
}

/** DNS goes over both (RFC 7766). */
export function dns(port = 53): NetworkPolicyPort[] {
  return [...udp(port), ...tcp(port)];
}

/**
 * A policy for the pods of one name that lets in and out exactly what is listed. Both directions are always named: a direction without a
 * permission is closed.
 */
export function isolate(
  name: string,
  ingress: readonly Permission[],
  egress: readonly Permission[],
): NetworkPolicySpec {
  return {
    podSelector: { matchLabels: { [LABELS.name]: name } },
    policyTypes: ["Ingress", "Egress"],
    ingress: ingress.filter(hasPeers).map(({ peers, ports }) => ({ from: peers, ports })),
    egress: egress.filter(hasPeers).map(({ peers, ports }) => ({ to: peers, ports })),
  };
}

/** An empty peer list means *everyone* in a NetworkPolicy; here it means nobody, so the rule goes. */
function hasPeers(permission: Permission): boolean {
  return permission.peers.length > 0 && permission.ports.length > 0;
}

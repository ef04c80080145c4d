import { BlockList, isIPv4 } from "node:net";
import type { Json } from "../../support/edit";

/**
 * A second evaluator, written down from the API's documentation and nothing else, for one connection at a time: slow, unordered, without sets.
 * https://kubernetes.io/docs/reference/kubernetes-api/policy-resources/network-policy-v1/
 */

interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: string[];
  }[];
}

interface PolicyPeer {
  readonly podSelector?: LabelSelector;
  readonly namespaceSelector?: LabelSelector;
  readonly ipBlock?: { readonly cidr: string; readonly except?: string[] };
}

interface PolicyPort {
  readonly protocol?: string;
  readonly port?: number | string;
  readonly endPort?: number;
}

interface NetworkPolicy {
  readonly metadata: { readonly namespace: string };
  readonly spec: {
    readonly podSelector?: LabelSelector;
    readonly policyTypes?: readonly string[];
    readonly ingress?: readonly { readonly from?: PolicyPeer[]; readonly ports?: PolicyPort[] }[];
    readonly egress?: readonly { readonly to?: PolicyPeer[]; readonly ports?: PolicyPort[] }[];
  };
}

interface Container {
  readonly restartPolicy?: string;
  readonly ports?: readonly { readonly name?: string; readonly containerPort: number; readonly protocol?: string }[];
}

/** A pod, by what NetworkPolicies see of it. */
export interface Pod {
  readonly namespace: string;
  readonly namespaceLabels: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
}

/** A pod, or an address outside the cluster. */
export type Party = Pod | string;

export interface Target {
  readonly protocol: string;
  readonly port: number;
}

/** Whether the policies let a connection be opened: out of the one, and into the other. */
export function isAllowed(policies: readonly Json[], from: Party, to: Party, target: Target): boolean {
  return isLetOut(policies, from, to, target) && isLetIn(policies, from, to, target);
}

export function isLetOut(policies: readonly Json[], from: Party, to: Party, { protocol, port }: Target): boolean {
  if (typeof from === "string") return true;
  let isIsolated = false;
  for (const { metadata, spec } of policies as unknown as readonly NetworkPolicy[]) {
    // "If no policyTypes are specified on a NetworkPolicy then by default Ingress will always be set and Egress will be set if the NetworkPolicy has
    // any egress rules."
    const types = spec.policyTypes?.length
      ? spec.policyTypes
      : spec.egress?.length
        ? ["Ingress", "Egress"]
        : ["Ingress"];
    if (!types.includes("Egress") || metadata.namespace !== from.namespace) continue;
    if (!selects(spec.podSelector ?? {}, from.labels)) continue;
    isIsolated = true;
    for (const rule of spec.egress ?? []) {
      if (!isPeer(rule.to, to, metadata.namespace)) continue;
      if (isPort(rule.ports, protocol, port, to)) return true;
    }
  }
  return !isIsolated;
}

export function isLetIn(policies: readonly Json[], from: Party, to: Party, { protocol, port }: Target): boolean {
  if (typeof to === "string") return true;
  let isIsolated = false;
  for (const { metadata, spec } of policies as unknown as readonly NetworkPolicy[]) {
    const types = spec.policyTypes?.length ? spec.policyTypes : ["Ingress"];
    if (!types.includes("Ingress") || metadata.namespace !== to.namespace) continue;
    if (!selects(spec.podSelector ?? {}, to.labels)) continue;
    isIsolated = true;
    for (const rule of spec.ingress ?? []) {
      if (!isPeer(rule.from, from, metadata.namespace)) continue;
      if (isPort(rule.ports, protocol, port, to)) return true;
    }
  }
  return !isIsolated;
}

/** "If this field is empty or missing, this rule matches all sources"; otherwise one of the list is enough. */
function isPeer(peers: readonly PolicyPeer[] | undefined, party: Party, own: string): boolean {
  if (peers === undefined || peers.length === 0) return true;
  return peers.some(({ ipBlock, namespaceSelector, podSelector }) => {
    if (ipBlock !== undefined) {
      if (typeof party !== "string") return false;
      return holds(ipBlock.cidr, party) && !(ipBlock.except ?? []).some((except) => holds(except, party));
    }
    if (typeof party === "string") return false;
    const isThere =
      namespaceSelector === undefined
        ? party.namespace === own
        : selects(namespaceSelector, { ...party.namespaceLabels, "kubernetes.io/metadata.name": party.namespace });
    return isThere && selects(podSelector ?? {}, party.labels);
  });
}

/** "If this field is empty or missing, this rule matches all ports"; a name is that of a port of the destination's. */
function isPort(ports: readonly PolicyPort[] | undefined, protocol: string, number: number, to: Party): boolean {
  if (ports === undefined || ports.length === 0) return true;
  return ports.some(({ protocol: wanted = "TCP", port, endPort }) => {
    if (wanted !== protocol) return false;
    if (port === undefined) return true;
    if (typeof port === "number") return endPort === undefined ? port === number : port <= number && number <= endPort;
    if (typeof to === "string") return false;
    const running = [
      ...to.containers,
      ...(to.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always"),
    ];
    return running.some((container) =>
      (container.ports ?? []).some(
        (own) => own.name === port && own.containerPort === number && (own.protocol ?? "TCP") === protocol,
      ),
    );
  });
}

function selects({ matchLabels, matchExpressions }: LabelSelector, labels: Readonly<Record<string, string>>): boolean {
  for (const [key, value] of Object.entries(matchLabels ?? {})) if (labels[key] !== value) return false;
  for (const { key, operator, values = [] } of matchExpressions ?? []) {
    const value = labels[key];
    if (operator === "Exists" && value === undefined) return false;
    if (operator === "DoesNotExist" && value !== undefined) return false;
    if (operator === "In" && (value === undefined || !values.includes(value))) return false;
    if (operator === "NotIn" && value !== undefined && values.includes(value)) return false;
  }
  return true;
}

const blocks = new Map<string, BlockList>();

function holds(cidr: string, address: string): boolean {
  const [network = "", prefix = ""] = cidr.split("/");
  const family = isIPv4(network) ? "ipv4" : "ipv6";
  if (isIPv4(address) !== (family === "ipv4")) return false;
  let block = blocks.get(cidr);
  if (block === undefined) {
    block = new BlockList();
    block.addSubnet(network, Number(prefix), family);
    blocks.set(cidr, block);
  }
  return block.check(address, family);
}

/** Judges a connection by the rendered NetworkPolicies, as Kubernetes does. */
import type { NamedNetworkPolicy } from "../../components/network/network-policies";
import type { NetworkPolicyPeer } from "../../components/network/network-peers";
import type { Service } from "../../mesh";
import { LABELS, PART_OF } from "../../mesh/wire";

const NAMESPACE_NAME = "kubernetes.io/metadata.name";

/** Whether policies let a connection from one service's pods to a port of another's: out of the one namespace, and into the other. */
export function networkAllows(
  policies: readonly NamedNetworkPolicy[],
  from: Service,
  to: Service,
  port: number,
): { readonly egress: boolean; readonly ingress: boolean } {
  const takes = ({ ports }: { ports: readonly { protocol: string; port: number }[] }) =>
    ports.some((allowed) => allowed.protocol === "TCP" && allowed.port === port);
  const ofCaller = selecting(policies, from).filter(({ spec }) => spec.policyTypes.includes("Egress"));
  const ofCallee = selecting(policies, to).filter(({ spec }) => spec.policyTypes.includes("Ingress"));
  return {
    // Where no policy selects a pod for a direction, everything is open in it.
    egress:
      ofCaller.length === 0 ||
      ofCaller.some(({ spec }) => spec.egress.some((rule) => takes(rule) && rule.to.some((peer) => isPeer(peer, to)))),
    ingress:
      ofCallee.length === 0 ||
      ofCallee.some(({ spec }) =>
        spec.ingress.some((rule) => takes(rule) && rule.from.some((peer) => isPeer(peer, from))),
      ),
  };
}

function selecting(policies: readonly NamedNetworkPolicy[], service: Service): NamedNetworkPolicy[] {
  return policies.filter(
    ({ namespace, spec }) => namespace === service.namespace && fits(spec.podSelector.matchLabels, labelsOf(service)),
  );
}

function isPeer(peer: NetworkPolicyPeer, service: Service): boolean {
  if (peer.ipBlock !== undefined) return false;
  const namespace = { [NAMESPACE_NAME]: service.namespace, [LABELS.zone]: service.zone };
  return (
    fits(peer.namespaceSelector?.matchLabels ?? {}, namespace) &&
    fits(peer.podSelector?.matchLabels ?? {}, labelsOf(service))
  );
}

/** Labels that the pods of a service bear. */
function labelsOf(service: Service): Readonly<Record<string, string>> {
  return {
    [LABELS.name]: service.name,
    [LABELS.partOf]: PART_OF,
    [LABELS.zone]: service.zone,
    [LABELS.meshed]: "true",
  };
}

function fits(wanted: Readonly<Record<string, string>>, labels: Readonly<Record<string, string>>): boolean {
  return Object.entries(wanted).every(([key, value]) => labels[key] === value);
}

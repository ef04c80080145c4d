/** Ways into the zones past the sidecars, and kinds of policies that nobody here can judge. */
import { LABELS, NODE_RESOLVER, namespaceOf } from "../../../mesh";
import { issuerOf } from "../../../mesh/issuing";
import { judged, warning } from "../check";
import type { Check } from "../check";
import { KINDS } from "../cluster/live";
import { titleOf } from "../cluster/objects";
import type { KubeObject, Pod, Service } from "../cluster/objects";
import { declaredIn } from "../context";
import type { CheckContext } from "../context";
import { backendIn } from "../discovery";
import { zonesWithIssuers } from "../identity/signers";

const KINDS_PAGE = "admission.md#what-they-refuse";

/** Policies of network plugins, by API version and plural, which open or close what no NetworkPolicy says. */
const OTHER_POLICIES: readonly (readonly [apiVersion: string, plural: string])[] = [
  ["cilium.io/v2", "ciliumnetworkpolicies"],
  ["cilium.io/v2", "ciliumclusterwidenetworkpolicies"],
  ["crd.projectcalico.org/v1", "networkpolicies"],
  ["crd.projectcalico.org/v1", "globalnetworkpolicies"],
  ["projectcalico.org/v3", "networkpolicies"],
  ["projectcalico.org/v3", "globalnetworkpolicies"],
  ["crd.antrea.io/v1beta1", "networkpolicies"],
  ["crd.antrea.io/v1beta1", "clusternetworkpolicies"],
  ["policy.networking.k8s.io/v1alpha1", "adminnetworkpolicies"],
  ["policy.networking.k8s.io/v1alpha1", "baselineadminnetworkpolicies"],
];

/** Ways in of the Gateway API. */
const ROUTES: readonly (readonly [apiVersion: string, plural: string])[] = [
  ["gateway.networking.k8s.io/v1", "gateways"],
  ["gateway.networking.k8s.io/v1", "httproutes"],
  ["gateway.networking.k8s.io/v1", "grpcroutes"],
];

export const exposureChecks: readonly Check[] = [
  {
    id: "other-network-policies",
    category: "network",
    phase: "after",
    title: "no policy of a network plugin's own kind touches the zones",
    tells:
      "Lists policies of Cilium, Calico, Antrea and the AdminNetworkPolicies, in the zones or of the whole cluster. The evaluator does not model them: with one, `reachability` says less than it seems.",
    remedy: "keep the zones out of their selectors, and have a person judge what they open",
    more: "policies/reachability.md#what-it-cant-judge",
    run: async (context) =>
      judged(await present(context, OTHER_POLICIES), "there are policies that are not judged here", undefined, warning),
  },
  {
    id: "no-ways-in",
    category: "network",
    phase: "after",
    title: "no NodePort, LoadBalancer, external address, Ingress or Gateway opens a zone",
    tells:
      "Lists Services that are not of type ClusterIP or have external addresses, Ingresses, and Gateways with their routes, in the zones' namespaces. One of another namespace that leads to a pod's address is stopped by the pod's NetworkPolicy.",
    remedy: "delete what is named; people reach the mesh by port-forwards, services by declared calls",
    more: KINDS_PAGE,
    needs: ["namespaces-there"],
    run: async (context) => {
      const services = (await context.live.inZones(KINDS.services)).flatMap(openness);
      const ingresses = (await context.live.inZones(KINDS.ingresses)).map((one) => `Ingress ${titleOf(one)}`);
      const routes = (await present(context, ROUTES)).filter((text) => text.includes(" lucid-"));
      return judged([...services, ...ingresses, ...routes], "the zones have doors that the document does not know");
    },
  },
  {
    id: "host-namespaces",
    category: "network",
    phase: "after",
    title: "no pod of the zones is in its node's network, or has a port there",
    tells:
      "Looks for hostNetwork, hostPID, hostIPC and host ports. What a pod of the node's own network does, no NetworkPolicy sees; those of other namespaces (network plugins) are not told of.",
    remedy:
      "delete the pod and what made it; Pod Security and the admission policies refuse such pods, so see who took these out",
    more: KINDS_PAGE,
    needs: ["namespaces-there"],
    run: async ({ live }) =>
      judged((await live.inZones(KINDS.pods)).flatMap(hostUse), "pods share what is their node's"),
  },
  {
    id: "pods-unknown",
    category: "network",
    phase: "after",
    title: "there is no pod in the zones that the document does not know",
    tells:
      "Looks for pods whose account or label is no member's of that zone, and for pods that no workload owns. What runs inside a declared pod is not seen.",
    remedy: "delete what is named, or declare the service in the document",
    more: "admission.md#what-they-refuse",
    needs: ["namespaces-there"],
    run: unknownPods,
  },
];

function openness(service: Service): readonly string[] {
  const { type = "ClusterIP", externalIPs = [] } = service.spec;
  return [
    ...(type === "ClusterIP" ? [] : [`Service ${titleOf(service)} is a ${type}`]),
    ...(externalIPs.length === 0
      ? []
      : [`Service ${titleOf(service)} has external addresses ${externalIPs.join(", ")}`]),
  ];
}

function hostUse(pod: Pod): readonly string[] {
  const { hostNetwork, hostPID, hostIPC, containers, initContainers = [] } = pod.spec;
  const ports = [...containers, ...initContainers].flatMap(({ ports: all = [] }) =>
    all.flatMap(({ hostPort }) => hostPort ?? []),
  );
  const uses = [
    ...(hostNetwork === true ? ["network"] : []),
    ...(hostPID === true ? ["processes"] : []),
    ...(hostIPC === true ? ["IPC"] : []),
    ...ports.map((port) => `port ${String(port)}`),
  ];
  return uses.length === 0 ? [] : [`${titleOf(pod)}: its node's ${uses.join(", ")}`];
}

/** Objects of kinds that a cluster may or may not have. */
async function present(
  { live }: CheckContext,
  kinds: readonly (readonly [apiVersion: string, plural: string])[],
): Promise<readonly string[]> {
  const lists = await Promise.all(
    kinds.map(async ([apiVersion, plural]) => {
      const resource = (await live.resources(apiVersion))?.find(({ name }) => name === plural);
      if (resource === undefined) return [];
      const all: readonly KubeObject[] = await live.list({ apiVersion, kind: resource.kind, plural });
      const mine = all.filter(
        ({ metadata }) => metadata.namespace === undefined || metadata.namespace.startsWith("lucid-"),
      );
      return mine.map((object) => `${object.kind} ${titleOf(object)}`);
    }),
  );
  return lists.flat();
}

async function unknownPods(context: CheckContext) {
  const known = new Set([
    ...declaredIn(context).mesh.services.map(({ namespace, name }) => `${namespace}/${name}`),
    ...[...backendIn(context).workloads, NODE_RESOLVER.service, ...zonesWithIssuers(context).map(issuerOf)].map(
      (name) => `${namespaceOf("mesh")}/${name}`,
    ),
  ]);
  const found = (await context.live.inZones(KINDS.pods)).flatMap((pod) => {
    const { namespace = "", labels = {}, ownerReferences = [] } = pod.metadata;
    const [name, account] = [labels[LABELS.name] ?? "none", pod.spec.serviceAccountName ?? "default"];
    if (!known.has(`${namespace}/${name}`)) return [`${titleOf(pod)} bears the name ${name}, which is nobody's there`];
    if (account !== name) return [`${titleOf(pod)} runs as ${account}, and bears the name ${name}`];
    return ownerReferences.length === 0 ? [`${titleOf(pod)} was made by hand: nothing owns it`] : [];
  });
  return judged(found, "pods run there that nobody declared");
}

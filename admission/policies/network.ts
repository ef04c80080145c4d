/** NetworkPolicies open declared edges, and nothing else. */
import { LABELS } from "../../mesh/wire";
import type { AdmissionData } from "../data";
import { hasEntry, hasKey, list, shards } from "../literal";
import { inZones, NO_DRY_RUN, resources, whereChanged } from "../match";
import type { AdmissionPolicy } from "../model";
import { CLUSTER_DNS } from "../network-leave";

/** Name of the policy that closes a zone. */
export const DEFAULT_DENY = "default-deny";
const CALL_PORT = "15001/TCP";
const NAMESPACE_NAME = "kubernetes.io/metadata.name";
const CLUSTER_DNS_LABEL = "k8s-app";

export function networkPolicy(data: AdmissionData): AdmissionPolicy {
  return {
    name: "lucid-network",
    spec: {
      failurePolicy: "Fail",
      matchConstraints: inZones([resources("networking.k8s.io", ["networkpolicies"])]),
      matchConditions: [NO_DRY_RUN, whereChanged("spec")],
      variables: [
        ...shards("services", data.services),
        ...shards("calls", data.network.calls),
        list("infrastructure", data.infrastructure),
        list("letIn", data.network.letIn),
        list("letOut", data.network.letOut),
        { name: "spec", expression: "dyn(object).spec" },
        { name: "selector", expression: "variables.spec.?podSelector.orValue({})" },
        { name: "selectorLabels", expression: "variables.selector.?matchLabels.orValue({})" },
        {
          name: "subject",
          expression: `request.namespace.substring(${"lucid-".length}) + "/" + variables.selectorLabels[?"${LABELS.name}"].orValue("")`,
        },
        { name: "ingress", expression: "variables.spec.?ingress.orValue([])" },
        { name: "egress", expression: "variables.spec.?egress.orValue([])" },
        { name: "rules", expression: "variables.ingress + variables.egress" },
        {
          name: "peers",
          expression:
            "variables.ingress.map(rule, rule.?from.orValue([])) + variables.egress.map(rule, rule.?to.orValue([]))",
        },
      ],
      validations: [
        {
          expression: `dyn(object).metadata.name != "${DEFAULT_DENY}" || (size(variables.selector) == 0 && size(variables.rules) == 0 && ["Ingress", "Egress"].all(type, type in variables.spec.policyTypes))`,
          message: `${DEFAULT_DENY} must select every pod and open nothing, in both directions; declare a call in mesh.yaml instead, which opens it by a policy of its own`,
        },
        {
          expression: `size(variables.rules) == 0 || (${hasKey("services", "variables.subject")} && size(variables.selectorLabels) == 1 && !has(variables.selector.matchExpressions))`,
          message: `the policy opens pods that it does not select as one member; select a member of this zone by matchLabels ${LABELS.name}, and by nothing else`,
        },
        {
          expression: `variables.ingress.all(rule, size(rule.?from.orValue([])) > 0) && variables.egress.all(rule, size(rule.?to.orValue([])) > 0)`,
          message: "a rule opens the pods to everyone; name each peer by namespace and pod selector",
        },
        {
          expression:
            "variables.rules.all(rule, size(rule.?ports.orValue([])) > 0 && rule.ports.all(port, has(port.port) && type(port.port) == int && !has(port.endPort)))",
          message:
            "a rule opens every port, a range, or a port by name; name each port by its number, and no `endPort`",
        },
        {
          expression: `variables.peers.all(peers, peers.all(peer, ${isReadable("peer")}))`,
          message: `a peer is not selected as one member; select in one element its namespace by matchLabels ${NAMESPACE_NAME} and its pods by matchLabels ${LABELS.name}, each alone, without matchExpressions; addresses have no \`except\``,
        },
        {
          expression: directionHolds("ingress", "from"),
          message: `the policy lets somebody in whom the mesh's document does not declare as a caller; declare the call in mesh.yaml and run \`pulumi up\`, or take the peer out`,
          messageExpression: undeclared("ingress", "from"),
        },
        {
          expression: directionHolds("egress", "to"),
          message: `the policy lets its pods out to where the mesh's document declares no call; declare it in mesh.yaml and run \`pulumi up\`, or take the peer out`,
          messageExpression: undeclared("egress", "to"),
        },
      ],
    },
  };
}

type Side = "ingress" | "egress";
type PeerKey = "from" | "to";

/** Namespace and pods by one label each, in one element: as two they would be an OR. Or addresses. */
function isReadable(peer: string): string {
  const oneLabel = (selector: string) =>
    `size(${peer}.?${selector}.?matchLabels.orValue({})) == 1 && !has(${peer}.${selector}.matchExpressions)`;
  return (
    `has(${peer}.ipBlock) ? !has(${peer}.ipBlock.except) : ` +
    `(${oneLabel("namespaceSelector")} && ${oneLabel("podSelector")} && "${NAMESPACE_NAME}" in ${peer}.namespaceSelector.matchLabels)`
  );
}

/** CEL: the party that a peer is: `<zone>/<service>`, `<zone>/*`, addresses, the cluster's DNS; `?` for anybody else. */
function partyOf(peer: string): string {
  const namespace = `${peer}.namespaceSelector.matchLabels["${NAMESPACE_NAME}"]`;
  const labels = `${peer}.podSelector.matchLabels`;
  return (
    `(has(${peer}.ipBlock) ? ${peer}.ipBlock.cidr : ` +
    `${namespace} == "kube-system" && ${labels}[?"${CLUSTER_DNS_LABEL}"] == optional.of("kube-dns") ? "${CLUSTER_DNS}" : ` +
    `!${namespace}.startsWith("lucid-") ? "?" : ` +
    `"${LABELS.name}" in ${labels} ? ${namespace}.substring(${"lucid-".length}) + "/" + ${labels}["${LABELS.name}"] : ` +
    `${labels}[?"${LABELS.meshed}"] == optional.of("true") ? ${namespace}.substring(${"lucid-".length}) + "/*" : "?")`
  );
}

/** CEL: whether a party has a sidecar, or is all of a zone that have one. */
function isMeshed(party: string): string {
  return `(${party}.endsWith("/*") || (${hasKey("services", party)} && !(${party} in variables.infrastructure)))`;
}

/** CEL: whether the subject's side of an edge may be opened. */
function isLeft(side: Side, party: string, port: string): string {
  const [from, to] = side === "ingress" ? [party, "variables.subject"] : ["variables.subject", party];
  const openings = side === "ingress" ? "letIn" : "letOut";
  const opening = (caller: string, callee: string) =>
    `(${caller} + ">" + ${callee} + ":" + ${port}) in variables.${openings}`;
  return (
    `(${port} == "${CALL_PORT}" && ${hasEntry("calls", from, to)}) || ${opening(from, to)} || ` +
    `(${opening('"*"', to)} && ${isMeshed(from)}) || (${opening(from, '"*"')} && ${isMeshed(to)})`
  );
}

const portOf = (port: string) => `(string(${port}.port) + "/" + ${port}.?protocol.orValue("TCP"))`;

/** CEL binds no names, so a list of one element stands for a binding. */
function edgeHolds(side: Side, peer: string, port: string): string {
  return `[${partyOf(peer)}].all(party, [${portOf(port)}].all(number, ${isLeft(side, "party", "number")}))`;
}

function directionHolds(side: Side, key: PeerKey): string {
  return `variables.${side}.all(rule, rule.?${key}.orValue([]).all(peer, !(${isReadable("peer")}) || rule.?ports.orValue([]).all(port, ${edgeHolds(side, "peer", "port")})))`;
}

/** CEL: a message that names the first edge that nobody declared. */
function undeclared(side: Side, key: PeerKey): string {
  const culprits = `variables.${side}.map(rule, rule.?${key}.orValue([]).filter(peer, (${isReadable("peer")}) && !rule.?ports.orValue([]).all(port, ${edgeHolds(side, "peer", "port")})).map(peer, ${partyOf("peer")} + " on " + rule.?ports.orValue([]).map(port, ${portOf("port")}).join(", "))).filter(found, size(found) > 0)[0][0]`;
  const [before, after] = side === "ingress" ? [" lets in ", ", whom"] : [" lets out to ", ", where"];
  const missing = side === "ingress" ? "does not declare as its caller" : "declares no call of it";
  return (
    `"the policy of " + variables.subject + "${before}" + ${culprits} + ` +
    `"${after} the mesh's document ${missing}; declare the call in mesh.yaml and run \`pulumi up\`, or take the peer out"`
  );
}

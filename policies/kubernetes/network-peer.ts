import type { Ceiling } from "../ceiling";
import type { External } from "../ceiling/types";
import type { Field } from "../judgement/field";
import { contains, overlap, parseCidr } from "./cidr";
import { MESHED_LABEL, NAME_LABEL, zoneOfNamespace } from "./object";

/** Label that Kubernetes itself puts on every namespace; unlike any other, nobody can set it to another namespace's name. */
const NAMESPACE_LABEL = "kubernetes.io/metadata.name";

/** Who a NetworkPolicy's peer selects: parties of the ceiling (`<zone>/<service>`, `<zone>/*` for all with a sidecar, an external), or why that can't be said. */
export type PeerReading = { readonly parties: readonly string[] } | { readonly problem: string; readonly mend: string };

type Surroundings = Pick<Ceiling, "members" | "externals">;

/** Reads one peer. @throws Unjudgeable */
export function readPeer(peer: Field, ceiling: Surroundings): PeerReading {
  const unmodelled = peer
    .keys()
    .filter((key) => peer.has(key) && !["ipBlock", "namespaceSelector", "podSelector"].includes(key));
  if (unmodelled.length > 0)
    return { problem: `the peer has the unknown part ${unmodelled.join(", ")}`, mend: "take it out" };
  return peer.has("ipBlock") ? readBlock(peer, ceiling) : readSelectors(peer, ceiling);
}

function readBlock(peer: Field, ceiling: Surroundings): PeerReading {
  const text = peer.at("ipBlock", "cidr").text() ?? "";
  const block = parseCidr(text);
  const parties = Object.entries(ceiling.externals)
    .filter(([, external]) => block !== undefined && admits(external, block))
    .map(([name]) => name);
  if (parties.length > 0) return { parties };
  return {
    problem: `the addresses ${text} are no party of the ceiling`,
    mend: "select pods by namespace and name; addresses are for the API server alone",
  };
}

function admits(external: External, block: NonNullable<ReturnType<typeof parseCidr>>): boolean {
  if (!("cidrs" in external)) return false;
  const parse = (list: readonly string[]) => list.map(parseCidr).filter((outer) => outer !== undefined);
  return (
    block.prefix >= external.widestPrefix &&
    parse(external.cidrs).some((outer) => contains(outer, block)) &&
    !parse(external.except).some((pods) => overlap(pods, block))
  );
}

function readSelectors(peer: Field, ceiling: Surroundings): PeerReading {
  if (peer.at("namespaceSelector").isEmpty || peer.at("podSelector").isEmpty) {
    return {
      problem:
        "the peer has no namespace selector and pod selector in one element, so it is everything in a namespace, or a name in every namespace",
      mend: `select by ${NAMESPACE_LABEL} and ${NAME_LABEL} in one element`,
    };
  }
  const namespaces = requiredValues(peer.at("namespaceSelector"), NAMESPACE_LABEL);
  if (namespaces === undefined) {
    return {
      problem: "the peer's namespaces are not selected by name",
      mend: `select them by ${NAMESPACE_LABEL}, which nobody can forge`,
    };
  }
  const parties: string[] = [];
  for (const namespace of namespaces) {
    const found = partiesIn(namespace, peer.at("podSelector"), ceiling);
    if (typeof found === "string") return { problem: found, mend: `select the pods of members by ${NAME_LABEL}` };
    parties.push(...found);
  }
  return { parties };
}

/** Parties among the pods that a selector selects in one namespace, or what is wrong with it. */
function partiesIn(namespace: string, selector: Field, ceiling: Surroundings): readonly string[] | string {
  const zone = zoneOfNamespace(namespace, ceiling);
  if (zone === undefined) {
    const external = Object.entries(ceiling.externals).find(
      ([, candidate]) =>
        "namespace" in candidate &&
        candidate.namespace === namespace &&
        Object.entries(candidate.labels).every(([label, value]) => selector.at("matchLabels", label).is(value)),
    );
    return external === undefined ? `these pods of namespace ${namespace} are no party of the ceiling` : [external[0]];
  }
  const names = requiredValues(selector, NAME_LABEL);
  if (names !== undefined) {
    const strangers = names.filter((name) => !ceiling.members[zone]?.includes(name));
    if (strangers.length > 0) return `${strangers.join(", ")}: not a member of zone ${zone}`;
    return names.map((name) => `${zone}/${name}`);
  }
  if (selector.at("matchLabels", MESHED_LABEL).is("true")) return [`${zone}/*`];
  return `these pods of zone ${zone} are selected neither by name nor as those with a sidecar`;
}

/** The values of which a label must have one for the selector to hold; undefined where it may have any. Further requirements only narrow. */
function requiredValues(selector: Field, label: string): readonly string[] | undefined {
  const exact = selector.at("matchLabels", label).text();
  if (exact !== undefined) return [exact];
  for (const expression of selector.at("matchExpressions").items()) {
    if (expression.at("key").is(label) && expression.at("operator").is("In")) {
      const values = expression.at("values").texts();
      if (values.length > 0) return values;
    }
  }
  return undefined;
}

/** About NetworkPolicies and Services. */
import type { Plain } from "../../../../policies/judgement/plain";
import type { Mutation } from "../mutation";
import { isList, isMap } from "../place";
import type { Argument } from "./argument";

export const NETWORK: readonly Argument[] = [
  {
    survives: /^(duplicate|swap|move) of .*: NetworkPolicy [\w<>-]+ spec\./,
    why: "says the same twice, or in another order: rules, peers, ports and policy types only add up",
  },
  {
    survives: /^add of another object's: NetworkPolicy [\w<>-]+ spec\.(egress|ingress)$/,
    where: addsWhatIsOpen,
    isRare: true,
    why: "says in a rule of its own what another rule of the same policy says already",
  },
  {
    survives: /^drop of protocol: NetworkPolicy .*\.ports\[\]$/,
    why: "leaves TCP out, which is what is meant where nothing is said",
  },
  {
    survives: /^(drop of (policyTypes|Ingress)|widen to an empty one): NetworkPolicy [\w<>-]+ spec(\.policyTypes)?$/,
    why: "leaves the policy types to the default, ingress always and egress where there is a rule for it: the policy has both, or the namespace's default deny restricts the other",
  },
  {
    survives: /: NetworkPolicy <zone>-default-deny spec\.podSelector$/,
    why: "writes the selector of every pod in another way",
  },
  {
    survives: /: Service [\w<>-]+ spec(\.(clusterIP|ports|selector|publishNotReadyAddresses|sessionAffinity)\b.*)?$/,
    why: "leads a name or a virtual address to other pods or ports, or nowhere: whether a pod may be reached is said by NetworkPolicies, after the address is the pod's own, and those who listen there ask for certificates",
  },
];

/** Whether the last rule of a policy's list opens nothing that one before it doesn't: each of its peers, on each of its ports. */
function addsWhatIsOpen({ title, change }: Mutation): boolean {
  const direction = title.endsWith("egress") ? "egress" : "ingress";
  const specs = [...change.values()].flat().map(({ inputs }) => inputs.spec);
  return specs.every((spec) => {
    const rules = isMap(spec) && isList(spec[direction]) ? spec[direction].map(openedBy) : [];
    const [added = [], before] = [rules.at(-1), rules.slice(0, -1)];
    return added.length > 0 && added.every((opened) => before.some((rule) => rule.includes(opened)));
  });
}

/** Every pair of a peer and a port, as text; a rule without one of them, which is about all, has none. */
function openedBy(rule: Plain): readonly string[] {
  if (!isMap(rule)) return [];
  const sides: readonly (Plain | undefined)[] = [rule.from, rule.to];
  const peers = sides.filter(isList).flat();
  const ports = isList(rule.ports) ? rule.ports : [];
  return peers.flatMap((peer) => ports.map((port) => JSON.stringify([peer, port])));
}

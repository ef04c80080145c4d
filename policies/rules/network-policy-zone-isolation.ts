import type { Ceiling } from "../ceiling";
import { CALL_PORT, ceilingConnects } from "../ceiling/edges";
import { comesFromElsewhere, isGateway, leadsElsewhere } from "../ceiling/links";
import { leadsTo, outsideOf } from "../ceiling/outside";
import type { Side } from "../ceiling/types";
import type { Field } from "../judgement/field";
import type { Findings } from "../judgement/finding";
import type { ResourceRule } from "../judgement/rule";
import { readPeer } from "../kubernetes/network-peer";
import { KubeObject, NAME_LABEL, isKind } from "../kubernetes/object";

/** A NetworkPolicy opens what the ceiling lists, and nothing else. (That a default deny stands behind it is `stack-invariants`.) */
export const networkPolicyZoneIsolation: ResourceRule = {
  name: "network-policy-zone-isolation",
  description:
    "A NetworkPolicy opens edges of the ceiling alone: one named member to another, on their ports, both selectors in one peer.",
  severity: "critical",
  remediation: "Declare the call in mesh.yaml; a new edge between zones is added to the ceiling by its owner.",
  uses: ["members", "infrastructure", "externals", "edges", "outside", "datacenter", "links"],
  concerns: (type) => isKind(type, "NetworkPolicy"),
  judge(resource, ceiling, findings) {
    const object = KubeObject.of(resource);
    if (!object?.concernsMesh) return;
    const zone = object.zone(ceiling);
    if (zone === undefined) {
      findings.add("metadata.namespace", "the policy lies in no zone", "name the namespace of a zone");
      return;
    }
    const rules = (["ingress", "egress"] as const).flatMap((side) =>
      object.spec
        .at(side)
        .items()
        .map((rule) => ({ side, rule })),
    );
    if (object.spec.isAbsent) findings.add("spec", "nothing of the policy is known", "give its spec as plain values");
    if (rules.length === 0) return;
    const subject = subjectOf(object.spec.at("podSelector"), zone, ceiling, findings);
    if (subject === undefined) return;
    for (const { side, rule } of rules) judgeRule(subject, side, rule, ceiling, findings);
  },
};

/** The member whose pods the policy opens. */
function subjectOf(selector: Field, zone: string, ceiling: Ceiling, findings: Findings): string | undefined {
  const name = selector.at("matchLabels", NAME_LABEL).text();
  if (name === undefined) {
    findings.add(
      selector,
      "the policy opens pods that it does not select by name",
      `select one member by matchLabels ${NAME_LABEL}; an empty selector is for a policy that opens nothing`,
    );
    return undefined;
  }
  if (ceiling.members[zone]?.includes(name) === true) return `${zone}/${name}`;
  findings.add(
    selector,
    `\`${name}\` is not a member of zone ${zone}`,
    "select a member, or have the ceiling's owner list it",
  );
  return undefined;
}

function judgeRule(subject: string, side: Side, rule: Field, ceiling: Ceiling, findings: Findings): void {
  const peersAt = rule.at(side === "ingress" ? "from" : "to");
  const ports = portsOf(rule, findings);
  const peers = peersAt.items();
  if (peers.length === 0) {
    findings.add(peersAt, `the rule opens ${subject} to everyone`, "name each peer by namespace and pod selector");
    return;
  }
  for (const peer of peers) {
    if (side === "egress" && peer.has("ipBlock") && outsideOf(subject, ceiling) !== undefined) {
      judgeWayOut(subject, peer, ports, ceiling, findings);
      continue;
    }
    if (peer.has("ipBlock") && isGateway(subject, ceiling)) {
      judgeLink(subject, side, peer, ports, ceiling, findings);
      continue;
    }
    const reading = readPeer(peer, ceiling);
    if ("problem" in reading) {
      findings.add(peer, reading.problem, reading.mend);
      continue;
    }
    for (const party of reading.parties) {
      const [from, to] = side === "ingress" ? [party, subject] : [subject, party];
      for (const port of ports.filter((candidate) => !ceilingConnects(from, to, candidate, side, ceiling))) {
        findings.add(
          peer,
          `it lets ${from} reach ${to} on ${port}, an edge that the ceiling does not allow`,
          "take it out, or have the ceiling's owner allow the edge with a reason",
        );
      }
    }
  }
}

/** A member that stands for a service outside the cluster goes to each of its addresses by itself, on its ports. */
function judgeWayOut(
  subject: string,
  peer: Field,
  ports: readonly string[],
  ceiling: Ceiling,
  findings: Findings,
): void {
  const cidr = peer.at("ipBlock", "cidr");
  const isPlain = peer.keys().join() === "ipBlock" && peer.at("ipBlock").keys().join() === "cidr";
  for (const port of ports) {
    findings.require(
      isPlain && leadsTo(subject, cidr.text() ?? "", port, ceiling),
      peer,
      `it lets ${subject} out to ${cidr.shown()} on ${port}, which the ceiling does not list for it`,
      "name each address of the service outside as a block of its own, or have the ceiling's owner list it under outside",
    );
  }
}

/** A gateway goes to those of other datacenters by their addresses, and is reached from theirs. */
function judgeLink(
  subject: string,
  side: Side,
  peer: Field,
  ports: readonly string[],
  ceiling: Ceiling,
  findings: Findings,
): void {
  const cidr = peer.at("ipBlock", "cidr");
  const isPlain = peer.keys().join() === "ipBlock" && peer.at("ipBlock").keys().join() === "cidr";
  const text = cidr.text() ?? "";
  for (const port of ports) {
    const isListed =
      side === "egress"
        ? leadsElsewhere(subject, text, port, ceiling)
        : port === CALL_PORT && comesFromElsewhere(text, subject, ceiling);
    findings.require(
      isPlain && isListed,
      peer,
      side === "egress"
        ? `it lets ${subject} out to ${cidr.shown()} on ${port}, which no link of the ceiling lists`
        : `it lets ${cidr.shown()} reach ${subject} on ${port}, which no link of the ceiling lists`,
      "take it out, or have the ceiling's owner list it under links",
    );
  }
}

/** Ports of a rule as `<number>/<protocol>`. A rule without ports, with a range or a named port opens what can't be compared. */
function portsOf(rule: Field, findings: Findings): string[] {
  const ports = rule.at("ports").items();
  if (ports.length === 0) findings.add(rule.at("ports"), "the rule opens every port", "name each port by number");
  return ports.flatMap((port) => {
    findings.require(
      port.at("endPort").isAbsent,
      port.at("endPort"),
      "the rule opens a range of ports",
      "name each port by number",
    );
    const protocol = port.at("protocol").isAbsent ? "TCP" : port.at("protocol").text();
    if (port.at("port").isAbsent) {
      findings.add(port, "the rule opens every port of a protocol", "name each port by number");
      return [];
    }
    return [`${String(port.at("port").number())}/${protocol ?? "TCP"}`];
  });
}

import type { Place } from "../../layer";
import type { PortSet } from "../../sets/port-set";
import type { Direction, Peer } from "../model";
import type { Half } from "../reachability";
import type { Selector } from "../selector";

/** The peers that open these ports of a half. */
export function placesOf(half: Half, ports: PortSet): readonly Place[] {
  return half.grants
    .filter((grant) => grant.ports.meets(ports))
    .map(({ policy, opening }) => ({ object: policy.title, path: opening.path }));
}

/** Why these ports of a half are open. @param subject the party whose policies decide on it */
export function openedBy(half: Half, ports: PortSet, subject: string, direction: Direction): string {
  if (half.policies.length === 0) return unrestricted(subject, direction);
  return half.grants
    .filter((grant) => grant.ports.meets(ports))
    .map(({ policy, opening }) => {
      const does = direction === "egress" ? "lets it out" : "lets it in";
      return `${policy.title}, ${opening.path}, ${peerText(opening.peer)} and ${does}`;
    })
    .join(", and ");
}

/** Why something of a half is closed. */
export function closedBy(half: Half, subject: string, direction: Direction): string {
  const titles = half.policies.map(({ title }) => title).join(", ");
  return direction === "egress" ? `${subject} isn't let out by ${titles}` : `${subject} doesn't let it in by ${titles}`;
}

export function unrestricted(subject: string, direction: Direction): string {
  return direction === "egress"
    ? `no NetworkPolicy restricts whom ${subject} reaches`
    : `no NetworkPolicy restricts who reaches ${subject}`;
}

function peerText(peer: Peer): string {
  switch (peer.kind) {
    case "everyone":
      return "names no peer, which means everyone,";
    case "addresses":
      return `names ${peer.addresses.toString()}`;
    case "pods":
      return `selects ${selectionText(peer.namespaces, peer.pods)}`;
  }
}

/** `pods (app=web) of namespaces (team=a)`. */
export function selectionText(namespaces: Selector | undefined, pods: Selector): string {
  const which = pods.requirements.length === 0 ? "every pod" : `pods (${pods.toString()})`;
  if (namespaces === undefined) return `${which} of its own namespace`;
  return `${which} of ${namespaces.requirements.length === 0 ? "every namespace" : `namespaces (${namespaces.toString()})`}`;
}

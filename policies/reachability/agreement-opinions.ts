/** What layers say of an edge, and what is told where they don't agree. */
import { serviceOf, zoneOf } from "./envoy";
import type { Party, Sidecar } from "./envoy";
import type { LayerName, LayerViolation, Place } from "./layer";
import { PortSet, Reachability as Connections } from "./network";
import type { Connection } from "./network";
import { partyName, partyOf } from "./party";

/** What one layer says of an edge. */
export interface Opinion {
  readonly layer: LayerName;
  readonly isOpen: boolean;
  /** Whether it is about this edge alone. Roots and names are for several, and a way to all of a zone is for those of it who are open: they open none. */
  readonly isOfEdge: boolean;
  /** What opens it, or has nothing that would. */
  readonly places: readonly Place[];
}

/** What the policies say of one service and another: of their pods the pair that is most open. */
export class NetworkOpinions {
  private readonly parties: ReadonlySet<string>;
  private readonly byCaller = new Map<string, Map<string, Connection>>();

  constructor(connections: Connections) {
    this.parties = new Set(connections.workloads.map(partyOf));
    for (const connection of connections.connections()) {
      const callees = this.byCaller.get(partyOf(connection.from)) ?? new Map<string, Connection>();
      this.byCaller.set(partyOf(connection.from), callees);
      const callee = partyOf(connection.to);
      if (callees.get(callee)?.ports.isEmpty !== false) callees.set(callee, connection);
    }
  }

  has(party: Party): boolean {
    return this.parties.has(nameOf(party));
  }

  between(from: Party, to: Party): Connection | undefined {
    return this.byCaller.get(nameOf(from))?.get(nameOf(to));
  }

  opinion(from: Party, to: Party, listens: number): Opinion {
    const ports = PortSet.tcp(listens);
    const network = this.between(from, to);
    const isOpen = network?.ports.meets(ports) === true;
    const halves = network === undefined ? [] : [network.egress, network.ingress];
    const places = isOpen
      ? halves.flatMap(({ grants }) =>
          grants
            .filter((grant) => grant.ports.meets(ports))
            .map(({ policy, opening }) => ({ object: policy.title, path: opening.path })),
        )
      : halves
          .filter((half) => !half.ports.meets(ports))
          .flatMap(({ policies }) => policies.map(({ title }) => ({ object: title, path: "" })));
    return { layer: "network", isOpen, isOfEdge: true, places };
  }
}

/** What is told where some layers open an edge and others don't. @param where `http (15001/TCP)` */
export function disagreement(from: Party, to: Party, where: string, opinions: readonly Opinion[]): LayerViolation[] {
  const open = opinions.filter(({ isOpen }) => isOpen);
  const closed = opinions.filter(({ isOpen }) => !isOpen);
  const opening = open.filter(({ isOfEdge }) => isOfEdge);
  if (closed.length === 0 || opening.length === 0) return [];
  const text = (list: readonly Opinion[]) => list.map(opinionText).join(", and ");
  return [
    {
      layer: "agreement",
      problem: `the layers don't agree on ${nameOf(from)} and ${nameOf(to)} on ${where}: it is open by ${text(opening)}; it is closed by ${text(closed)}`,
      mend: "open it in all layers or in none, by declaring the call or taking it out",
      places: [...opening, ...closed].flatMap(({ places }) => places),
    },
  ];
}

/** Where a sidecar's files stand. */
export function envoyFiles({ party }: Sidecar): Place {
  return { object: `ConfigMap lucid-${zoneOf(party)}/${serviceOf(party)}-envoy`, path: "" };
}

function opinionText({ layer, places }: Opinion): string {
  const where = places.map(({ object, path }) => (path === "" ? object : `${object}, ${path}`)).join(" with ");
  return where === "" ? `the ${layer} layer` : `the ${layer} layer (${where})`;
}

/** `Chain/lucid-blocks` for `chain/lucid-blocks`. */
function nameOf(party: Party): string {
  return partyName(zoneOf(party), serviceOf(party));
}

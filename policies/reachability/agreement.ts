import { outsideDisagreements } from "./agreement-outside";
import { Reachability as Calls, serviceOf, zoneOf } from "./envoy";
import type { Admission, Callee, Party, Sidecar, Way } from "./envoy";
import type { Layer, LayerName, LayerViolation, Place } from "./layer";
import { PortSet, Reachability as Connections } from "./network";
import type { Connection } from "./network";
import { partyName, partyOf } from "./party";

/** What the sidecar listens on for callers: calls, and inspection. */
const LISTENED = [15001, 15090] as const;

/**
 * An edge is open in all layers or in none. Where a document is at hand it tells what must be open, and this tells nothing more; a ceiling only tells what may
 * be, so that of an edge within it one layer could be open and another closed.
 *
 * The same holds for the ways out of the cluster. It is about services whose pods and sidecars are both among the objects; what a pod asks of itself passes no layer.
 */
export const agreementLayer: Layer = {
  judge: ({ connections, calls }) =>
    connections === undefined || calls === undefined
      ? []
      : [
          ...disagreements(connections, calls),
          ...calls.sidecars.flatMap((sidecar) => outsideDisagreements(connections, sidecar)),
        ],
};

/** What one layer says of an edge. */
interface Opinion {
  readonly layer: LayerName;
  readonly isOpen: boolean;
  /** Whether it is about this edge alone. Roots and names are for several, and a way to all of a zone is for those of it who are open: they open none. */
  readonly isOfEdge: boolean;
  /** What opens it, or has nothing that would. */
  readonly places: readonly Place[];
}

function disagreements(connections: Connections, calls: Calls): LayerViolation[] {
  const network = new Network(connections);
  const sidecars = calls.sidecars.filter(({ party }) => network.has(party));
  return sidecars.flatMap((callee) =>
    sidecars
      .filter((caller) => caller !== callee)
      .flatMap((caller) => {
        const connection = network.between(caller.party, callee.party);
        const admissions = calls.admissions(caller.party, callee.party);
        const ways = calls.ways(caller.party, callee.party);
        if (connection === undefined && admissions.length + ways.length === 0) return [];
        return LISTENED.flatMap((listens) =>
          new Edge(caller, callee, listens, admissions, ways, connection).violations(),
        );
      }),
  );
}

/** What the policies say of one service and another: of their pods the pair that is most open. */
class Network {
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
}

/** Whom a service may reach behind one port of another's sidecar, as each layer has it. */
class Edge {
  private readonly admissions: readonly Admission[];
  private readonly ways: readonly Way[];

  constructor(
    private readonly caller: Sidecar,
    private readonly callee: Sidecar,
    private readonly listens: number,
    admissions: readonly Admission[],
    ways: readonly Way[],
    private readonly network: Connection | undefined,
  ) {
    this.admissions = admissions.filter(({ entry, grants }) => entry.listens === listens && grants.length > 0);
    this.ways = ways.filter((way) => way.callee.dialled === listens);
  }

  violations(): LayerViolation[] {
    const network = this.networkOpinion();
    const ports = new Set([
      ...this.admissions.map(({ entry }) => entry.port),
      ...this.ways.map(({ callee }) => callee.port),
    ]);
    if (ports.size === 0) {
      const authorization: Opinion = {
        layer: "authorization",
        isOpen: false,
        isOfEdge: true,
        places: [envoyFiles(this.callee)],
      };
      return this.told("any port", [network, authorization]);
    }
    return [...ports].flatMap((port) => this.told(port, [network, ...this.sidecarOpinions(port)]));
  }

  private told(port: string, opinions: readonly Opinion[]): LayerViolation[] {
    const open = opinions.filter(({ isOpen }) => isOpen);
    const closed = opinions.filter(({ isOpen }) => !isOpen);
    const opening = open.filter(({ isOfEdge }) => isOfEdge);
    if (closed.length === 0 || opening.length === 0) return [];
    const text = (list: readonly Opinion[]) => list.map(opinionText).join(", and ");
    return [
      {
        layer: "agreement",
        problem: `the layers don't agree on ${nameOf(this.caller.party)} and ${nameOf(this.callee.party)} on ${port} (${this.listens}/TCP): it is open by ${text(opening)}; it is closed by ${text(closed)}`,
        mend: "open it in all layers or in none, by declaring the call or taking it out",
        places: [...opening, ...closed].flatMap(({ places }) => places),
      },
    ];
  }

  private networkOpinion(): Opinion {
    const ports = PortSet.tcp(this.listens);
    const { network } = this;
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

  private sidecarOpinions(port: string): Opinion[] {
    const admissions = this.admissions.filter(({ entry }) => entry.port === port);
    const ways = this.ways.filter(({ callee }) => callee.port === port);
    const authorization: Opinion = {
      layer: "authorization",
      isOpen: admissions.length > 0,
      isOfEdge: true,
      places: or(
        admissions.flatMap(({ grants }) => grants.map(({ place }) => place)),
        envoyFiles(this.callee),
      ),
    };
    return [
      authorization,
      {
        layer: "ways",
        isOpen: ways.length > 0,
        isOfEdge: ways.some(({ callee }) => !isOfZone(callee)),
        places: or(
          ways.map(({ callee }) => callee.place),
          envoyFiles(this.caller),
        ),
      },
      this.trust(this.callee, this.caller),
      this.trust(this.caller, this.callee),
      ...(ways.length === 0 ? [] : [this.names(ways)]),
    ];
  }

  private trust({ party, roots }: Sidecar, other: Sidecar): Opinion {
    const found = roots.get(zoneOf(other.party));
    const file = { object: `ConfigMap lucid-${zoneOf(party)}/${serviceOf(party)}-trust`, path: "" };
    return { layer: "trust", isOpen: found !== undefined, isOfEdge: false, places: [found?.place ?? file] };
  }

  /** Whether the application is told an address for it; what its sidecar asks by itself needs none. */
  private names(ways: readonly Way[]): Opinion {
    const { names } = this.caller;
    const isTold = ({ callee, dials }: Way) =>
      callee.asked ||
      dials.some(({ address }) => isOfZone(callee) || names.some(({ addresses }) => addresses.includes(address)));
    return { layer: "names", isOpen: ways.every(isTold), isOfEdge: false, places: [envoyFiles(this.caller)] };
  }
}

/** Whether it is anybody of a zone, whose address each request says. */
function isOfZone({ party }: Callee): boolean {
  return party.endsWith("/*");
}

function envoyFiles({ party }: Sidecar): Place {
  return { object: `ConfigMap lucid-${zoneOf(party)}/${serviceOf(party)}-envoy`, path: "" };
}

function or(places: readonly Place[], otherwise: Place): readonly Place[] {
  return places.length > 0 ? places : [otherwise];
}

function opinionText({ layer, places }: Opinion): string {
  const where = places.map(({ object, path }) => (path === "" ? object : `${object}, ${path}`)).join(" with ");
  return where === "" ? `the ${layer} layer` : `the ${layer} layer (${where})`;
}

/** `Chain/lucid-blocks` for `chain/lucid-blocks`. */
function nameOf(party: Party): string {
  return partyName(zoneOf(party), serviceOf(party));
}

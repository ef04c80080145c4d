import { linkDisagreements } from "./agreement-links";
import { disagreement, envoyFiles, NetworkOpinions } from "./agreement-opinions";
import type { Opinion } from "./agreement-opinions";
import { outsideDisagreements } from "./agreement-outside";
import { Reachability as Calls, serviceOf, zoneOf } from "./envoy";
import type { Admission, Callee, Sidecar, Way } from "./envoy";
import type { Layer, LayerViolation, Place } from "./layer";

/** What the sidecar listens on for callers: calls, and inspection. */
const LISTENED = [15001, 15090] as const;

/**
 * An edge is open in all layers or in none. Where a document is at hand it tells what must be open, and this tells nothing more; a ceiling only tells what may
 * be, so that of an edge within it one layer could be open and another closed.
 *
 * The same holds for the ways out of the cluster, and for those of calls between datacenters. It is about services whose pods and sidecars are both among the objects; what a pod asks of itself passes no layer.
 */
export const agreementLayer: Layer = {
  judge: ({ connections, calls }) => {
    if (connections === undefined || calls === undefined) return [];
    const network = new NetworkOpinions(connections);
    return [
      ...disagreements(network, calls),
      ...linkDisagreements(network, calls.sidecars),
      ...calls.sidecars.flatMap((sidecar) => outsideDisagreements(connections, sidecar)),
    ];
  },
};

function disagreements(network: NetworkOpinions, calls: Calls): LayerViolation[] {
  const sidecars = calls.sidecars.filter(({ party }) => network.has(party));
  return sidecars.flatMap((callee) =>
    sidecars
      .filter((caller) => caller !== callee)
      .flatMap((caller) => {
        const isConnected = network.between(caller.party, callee.party) !== undefined;
        const admissions = calls.admissions(caller.party, callee.party);
        const ways = calls.ways(caller.party, callee.party);
        if (!isConnected && admissions.length + ways.length === 0) return [];
        return LISTENED.flatMap((listens) => new Edge(caller, callee, listens, admissions, ways, network).violations());
      }),
  );
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
    private readonly network: NetworkOpinions,
  ) {
    this.admissions = admissions.filter(({ entry, grants }) => entry.listens === listens && grants.length > 0);
    this.ways = ways.filter((way) => way.callee.dialled === listens);
  }

  violations(): LayerViolation[] {
    const network = this.network.opinion(this.caller.party, this.callee.party, this.listens);
    const ports = new Set([
      ...this.admissions.map(({ entry }) => entry.port),
      ...this.ways.map(({ callee }) => callee.port),
    ]);
    if (ports.size === 0) {
      // What a gateway passes on it doesn't call.
      if (this.caller.arrivals.length > 0) return [];
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
    return disagreement(this.caller.party, this.callee.party, `${port} (${this.listens}/TCP)`, opinions);
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

function or(places: readonly Place[], otherwise: Place): readonly Place[] {
  return places.length > 0 ? places : [otherwise];
}

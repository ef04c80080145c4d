import { zoneOf } from "../matrix";
import type { Admission, Reachability } from "../matrix";
import type { Callee, Entry, Party, Sidecar } from "../model";
import { ruleText } from "../requests";
import type { OutsidePort } from "../outside";
import { outsideText } from "../outside";
import type { Difference, SidecarLayer, Violation } from "./declaration";
import { placeText } from "./text";
import { compareRoots } from "./trust";

/** What may be at most: nothing of it needs to be, and what may be asked behind a port is not its matter. */
export interface UpperBound {
  /** Whether one may enter another's pods at a port of its sidecar (15001, 15090). @param to `<zone>/*` for whoever is of the zone */
  readonly allows: (from: Party, to: Party, listens: number) => boolean;
  /** Whether a party may have to do with anybody of a zone. */
  readonly allowsZone: (party: Party, zone: string) => boolean;
  /** Whether a party may stand for a service outside the cluster that is there, and proves itself so. */
  readonly leadsOutside: (party: Party, outside: OutsidePort) => boolean;
  /** The name by which applications call a party. */
  readonly hostnameOf: (party: Party) => string;
  /** What messages call a party; `<zone>/<service>` unless said. */
  readonly nameOf?: (party: Party) => string;
}

/** What a sidecar answers in plain text, by where it goes. */
const OPENINGS: Readonly<Record<string, RegExp>> = {
  "GET /ready": /^admin\/ready$/,
  "GET /health": /^(127\.0\.0\.1:\d+( by HTTP\/2)?\/|whether .* is well$)/,
};

/** Finds what the sidecars do beyond a bound. None: nothing is beyond it. */
export function compareWithBound(reachability: Reachability, bound: UpperBound): readonly Violation[] {
  const nameOf = bound.nameOf ?? ((party) => party);
  const comparison = new BoundComparison(reachability, bound, nameOf);
  return [
    ...compareRoots(reachability, nameOf)
      .filter(({ kind }) => kind !== "refused")
      .map((difference): Violation => ({ layer: "trust", ...difference })),
    ...reachability.sidecars.flatMap((sidecar) => comparison.of(sidecar)),
  ];
}

class BoundComparison {
  constructor(
    private readonly reachability: Reachability,
    private readonly bound: UpperBound,
    private readonly nameOf: (party: Party) => string,
  ) {}

  of(sidecar: Sidecar): Violation[] {
    const layers: Readonly<Record<SidecarLayer, readonly Difference[]>> = {
      trust: this.trust(sidecar),
      authorization: [
        ...sidecar.entries.flatMap((entry) => this.entry(sidecar.party, entry)),
        ...this.openings(sidecar),
      ],
      ways: [...sidecar.callees.flatMap((callee) => this.way(sidecar.party, callee)), ...this.outside(sidecar)],
      names: this.names(sidecar),
    };
    return Object.entries(layers).flatMap(([layer, differences]) =>
      differences.map((difference): Violation => ({ layer: layer as SidecarLayer, ...difference })),
    );
  }

  private trust({ party, roots }: Sidecar): Difference[] {
    return [...roots]
      .filter(([zone]) => !this.bound.allowsZone(party, zone))
      .map(([zone, { place }]): Difference => ({
        kind: "undeclared",
        text: `${this.nameOf(party)} trusts whom the CA of zone ${zone} certifies, though no edge between them may be: ${placeText(place)}`,
        places: [place],
      }));
  }

  private entry(to: Party, entry: Entry): Difference[] {
    const named = new Set([...entry.certificates, ...entry.grants.map(({ party }) => party)]);
    return [...named]
      .filter((from) => !this.bound.allows(from, to, entry.listens))
      .map((from) => this.excess(from, to, { entry, grants: entry.grants.filter(({ party }) => party === from) }));
  }

  private excess(from: Party, to: Party, { entry, grants }: Admission): Difference {
    const [caller, callee] = [this.nameOf(from), this.nameOf(to)];
    const [first] = grants;
    if (first === undefined) {
      const text = `${callee} takes ${caller}'s certificate for ${entry.port}, which may not be, and only authorization refuses it: ${placeText(entry.place)}, names it`;
      return { kind: "half-open", text, places: [entry.place] };
    }
    const what = `${ruleText(first.rules[0] ?? {})} to ${callee} on ${entry.port}`;
    const isRouted =
      entry.certificates.includes(from) && this.reachability.ways(from, to).some((way) => way.entry === entry);
    const text = isRouted
      ? `${caller} can send ${what}, which may not be`
      : `${callee} lets ${caller} send ${what}, which may not be, and only another layer refuses it`;
    return {
      kind: isRouted ? "undeclared" : "half-open",
      text: `${text}: ${grants.map(({ place }) => `${placeText(place)}, lets it in`).join(", and ")}`,
      places: grants.map(({ place }) => place),
    };
  }

  private openings({ party, open }: Sidecar): Difference[] {
    return open
      .filter(({ request, target }) => OPENINGS[request]?.test(target) !== true)
      .map(({ request, target, place }): Difference => ({
        kind: "undeclared",
        text: `whoever reaches ${this.nameOf(party)}'s pod can ask ${request} of ${target} in plain text, which may not be: ${placeText(place)}`,
        places: [place],
      }));
  }

  private way(from: Party, callee: Callee): Difference[] {
    const { party: to, dialled, port, serverName, place } = callee;
    if (this.bound.allows(from, to, dialled) && zoneOf(to) === callee.zone) return [];
    const text = `${this.nameOf(from)} has a way to ${this.nameOf(to)} on ${port} (${dialled}/TCP, ${serverName}), which may not be: ${placeText(place)}`;
    return [{ kind: "half-open", text, places: [place] }];
  }

  private outside({ party, outside }: Sidecar): Difference[] {
    return outside
      .filter((way) => !this.bound.leadsOutside(party, way))
      .map((way): Difference => ({
        kind: "undeclared",
        text: `${this.nameOf(party)} leads out of the cluster to ${outsideText(way)}, which may not be: ${placeText(way.place)}`,
        places: [way.place],
      }));
  }

  /** A name leads to whom it names, and nowhere else. */
  private names({ party, names, dials, callees }: Sidecar): Difference[] {
    return names.flatMap(({ name, addresses, place }) =>
      addresses.flatMap((address) => {
        const there = dials
          .filter((dial) => dial.address === address)
          .flatMap(({ clusters }) => callees.filter((callee) => clusters.includes(callee.cluster)));
        if (there.length > 0 && there.every((callee) => this.bound.hostnameOf(callee.party) === name)) return [];
        const whom =
          there.length === 0 ? "nobody" : [...new Set(there.map((callee) => this.nameOf(callee.party)))].join(", ");
        const text = `${this.nameOf(party)}'s resolver answers ${name} with ${address}, where ${whom} is: ${placeText(place)}`;
        return [{ kind: "undeclared" as const, text, places: [place] }];
      }),
    );
  }
}

import { grantsFor, targetOf } from "../matrix";
import type { Admission, Reachability } from "../matrix";
import type { Grant, Party } from "../model";
import { CONNECT, matches, representatives, requestText } from "../requests";
import type { Request } from "../requests";
import type { DeclaredEdge, Difference } from "./declaration";
import type { DeclaredEdges } from "./index-of-edges";
import { placeText } from "./text";

/** Compares what a callee's sidecar lets a caller do with what is declared, request by request and until when. */
export function compareAdmissions(
  reachability: Reachability,
  from: Party,
  to: Party,
  edges: DeclaredEdges,
): Difference[] {
  const admissions = reachability.admissions(from, to);
  const declared = edges.between(from, to);
  const ports = new Set([...declared.map(({ port }) => port), ...admissions.map(({ entry }) => entry.port)]);
  return [...ports].flatMap((port) => {
    const comparison = new PortComparison(
      admissions.filter(({ entry }) => entry.port === port),
      declared.filter((edge) => edge.port === port),
    );
    const [caller, callee] = [edges.nameOf(from), edges.nameOf(to)];
    const ways = reachability.ways(from, to);
    const isRouted = ({ entry }: Admission) => ways.some((way) => way.entry === entry);
    return [...comparison.excess(caller, callee, port, isRouted), ...comparison.lack(caller, callee, port)];
  });
}

/** One port of one pair. */
class PortComparison {
  private readonly requests: readonly Request[];
  private readonly instants: readonly string[];

  constructor(
    private readonly admissions: readonly Admission[],
    private readonly declared: readonly DeclaredEdge[],
  ) {
    const rules = [
      ...declared.flatMap((edge) => edge.requests),
      ...admissions.flatMap(({ entry, grants }) => [
        ...grants.flatMap((grant) => grant.rules),
        ...entry.routes.map(({ rule }) => rule),
      ]),
    ];
    this.requests = [CONNECT, ...representatives(rules)];
    const ends = [...declared, ...admissions.flatMap(({ grants }) => grants)].map(({ until }) => until);
    // Between two ends nothing changes, so the first instant of each stretch stands for it.
    this.instants = ["", ...new Set(ends.filter((end) => end !== undefined))].sort();
  }

  excess(caller: string, callee: string, port: string, isRouted: (admission: Admission) => boolean): Difference[] {
    for (const { request, instant } of this.cases()) {
      const admitted = this.admitted(request, instant);
      if (admitted === undefined || admitted.outcome === this.outcome(request, instant)) continue;
      const { admission, grants, outcome } = admitted;
      const routed = isRouted(admission);
      const what = `${requestText(request)} to ${callee} on ${port} (${outcome})${sinceText(instant)}`;
      return [
        {
          kind: routed ? "undeclared" : "half-open",
          text:
            (routed
              ? `${caller} can send ${what}, which nobody declared: `
              : `${callee} lets ${caller} send ${what}, which nobody declared, and only the other side has no way there: `) +
            grants.map(({ place }) => `${placeText(place)}, lets it in`).join(", and "),
          places: grants.map(({ place }) => place),
        },
      ];
    }
    for (const { request, instant } of this.cases()) {
      const grants = this.granted(request, instant);
      if (grants.length === 0 || this.outcome(request, instant) !== undefined) continue;
      const why = grants.map(({ place }) => `${placeText(place)}, lets it in`).join(", and ");
      const what = `${requestText(request)} on ${port}${sinceText(instant)}`;
      const text = `${callee} allows ${caller} ${what}, which nobody declared, and only the lack of a route refuses it: ${why}`;
      return [{ kind: "half-open", text, places: grants.map(({ place }) => place) }];
    }
    return this.declared.length > 0
      ? []
      : this.admissions.flatMap((admission) => byTlsAlone(admission, caller, callee));
  }

  lack(caller: string, callee: string, port: string): Difference[] {
    for (const { request, instant } of this.cases()) {
      const outcome = this.outcome(request, instant);
      if (outcome === undefined || outcome === this.admitted(request, instant)?.outcome) continue;
      const [admission] = this.admissions;
      const why =
        admission === undefined
          ? "no filter chain takes its certificate"
          : `${placeText(admission.entry.place)}, doesn't let it in so`;
      return [
        {
          kind: "refused",
          text: `${caller} can't send ${requestText(request)} to ${callee} on ${port} (${outcome})${sinceText(instant)}, which is declared: ${why}`,
          places: this.admissions.map(({ entry }) => entry.place),
        },
      ];
    }
    return [];
  }

  private *cases(): Generator<{ readonly request: Request; readonly instant: string }> {
    for (const instant of this.instants) for (const request of this.requests) yield { request, instant };
  }

  /** What becomes of an admitted request: where it ends, how, and who else must agree. */
  private admitted(request: Request, instant: string) {
    for (const admission of this.admissions) {
      const grants: readonly Grant[] = grantsFor(admission, request, instant);
      const target = targetOf(admission.entry, request);
      if (grants.length === 0 || target === undefined) continue;
      const { carries, further } = admission.entry;
      return { admission, grants, outcome: outcomeText(target, carries, [...further]) };
    }
    return undefined;
  }

  /** The grants for a request that the chain could carry. */
  private granted(request: Request, instant: string): readonly Grant[] {
    return this.admissions
      .filter(({ entry }) => (entry.carries === "bytes") === (request === CONNECT))
      .flatMap((admission) => grantsFor(admission, request, instant));
  }

  private outcome(request: Request, instant: string): string | undefined {
    const edge = this.declared.find(
      ({ requests, until, carries }) =>
        (until === undefined || instant < until) &&
        (carries === "bytes") === (request === CONNECT) &&
        (requests.length === 0 || requests.some((rule) => matches(rule, request))),
    );
    return edge === undefined ? undefined : outcomeText(edge.target, edge.carries, edge.further ?? []);
  }
}

function byTlsAlone({ entry, grants }: Admission, caller: string, callee: string): Difference[] {
  if (grants.length > 0) return [];
  const text = `${callee} takes ${caller}'s certificate for ${entry.port}, which nobody declared, and only authorization refuses it: ${placeText(entry.place)}, names it`;
  return [{ kind: "half-open", text, places: [entry.place] }];
}

function outcomeText(target: string, carries: string, further: readonly string[]): string {
  return [target, ...(carries === "requests" ? [] : [carries]), ...[...further].sort()].join(", ");
}

function sinceText(instant: string): string {
  return instant === "" ? "" : ` from ${instant} on`;
}

/** Who may call whom by the sidecars, and by which of their layers. */
import { partyName } from "../../policies/reachability";
import { isCovered, outsideText, ruleText, serviceOf, zoneOf } from "../../policies/reachability/envoy";
import type { FurtherCondition, Party, Reachability, RequestRule } from "../../policies/reachability/envoy";

/** What one service may ask of a port of another, until one instant. */
export interface Call {
  readonly from: string;
  readonly to: string;
  /** The callee's port by its name, or `inspection`. */
  readonly port: string;
  /** One of these must match; none where authorization lets nothing in. */
  readonly rules: readonly RequestRule[];
  /** First instant from which it is refused. */
  readonly until?: string;
  /** Who besides the caller must agree. */
  readonly further: readonly FurtherCondition[];
  /** What opens it: the callee's authorization, the caller's ways, or both. Who inspects may ask by itself, and needs no way of its sidecar's. */
  readonly layers: readonly ("authorization" | "ways")[];
}

/** Where the sidecar of a service outside the cluster goes. */
export interface WayOut {
  readonly party: string;
  /** The service's port by its name. */
  readonly port: string;
  /** `10.20.0.5 on 5432/TCP by TLS as db.example.org (…)`. */
  readonly where: string;
}

/** What the sidecars do, layer by layer. */
export interface SidecarMatrix {
  readonly calls: readonly Call[];
  readonly outside: readonly WayOut[];
  /** Zones whose roots a sidecar believes. */
  readonly trust: readonly { readonly party: string; readonly zones: readonly string[] }[];
  /** Names that a sidecar answers its application. */
  readonly names: readonly { readonly party: string; readonly names: readonly string[] }[];
}

export function sidecarMatrixOf(reachability: Reachability): SidecarMatrix {
  const sidecars = [...reachability.sidecars].sort((a, b) => compare(nameOf(a.party), nameOf(b.party)));
  return {
    calls: sidecars.flatMap(({ party: from }) =>
      sidecars.flatMap(({ party: to }) => callsBetween(reachability, from, to)),
    ),
    outside: sidecars.flatMap(({ party, outside }) =>
      outside.map((way) => ({
        party: nameOf(party),
        port: way.cluster.split("|")[1] ?? way.cluster,
        where: outsideText(way),
      })),
    ),
    trust: sidecars.map(({ party, roots }) => ({ party: nameOf(party), zones: [...roots.keys()].sort() })),
    names: sidecars.map(({ party, names }) => ({ party: nameOf(party), names: names.map(({ name }) => name).sort() })),
  };
}

/** What some calls let be asked that others don't. */
export function callsWithout(calls: readonly Call[], others: readonly Call[]): readonly Call[] {
  return calls.flatMap((call) => {
    const had = others.filter((other) => keyOf(other) === keyOf(call)).flatMap(({ rules }) => rules);
    const rules = call.rules.filter((rule) => !isCovered(rule, had));
    return rules.length === 0 ? [] : [{ ...call, rules }];
  });
}

/** Ways out of the cluster that others aren't among. */
export function waysWithout(ways: readonly WayOut[], others: readonly WayOut[]): readonly WayOut[] {
  const known = new Set(others.map((way) => JSON.stringify(way)));
  return ways.filter((way) => !known.has(JSON.stringify(way)));
}

/** `GET on /height; POST on /echo, until 2026-12-31T18:00:00Z, with end-users`. */
export function callText({ rules, until, further, layers }: Call): string {
  const [only, ...others] = layers;
  return [
    rules.length === 0 ? "nothing" : rules.map(ruleText).join("; "),
    ...(until === undefined ? [] : [`until ${until}`]),
    ...(further.length === 0 ? [] : [`with ${further.join(" and ")}`]),
    ...(only === undefined || others.length > 0 ? [] : [`by ${only} alone`]),
  ].join(", ");
}

function callsBetween(reachability: Reachability, from: Party, to: Party): Call[] {
  const admissions = reachability.admissions(from, to);
  const ways = reachability.ways(from, to);
  const ports = new Set([...admissions.map(({ entry }) => entry.port), ...ways.map(({ callee }) => callee.port)]);
  return [...ports].sort(compare).flatMap((port) => {
    const isRouted = ways.some(({ callee }) => callee.port === port);
    const admitted = admissions
      .filter(({ entry }) => entry.port === port)
      .flatMap(({ entry, grants }) => grants.map((grant) => ({ grant, further: [...entry.further].sort() })));
    const call = { from: nameOf(from), to: nameOf(to), port };
    if (admitted.length === 0) return isRouted ? [{ ...call, rules: [], further: [], layers: ["ways"] as const }] : [];
    return admitted.map(({ grant: { rules, until }, further }): Call => ({
      ...call,
      rules,
      ...(until === undefined ? {} : { until }),
      further,
      layers: isRouted ? ["authorization", "ways"] : ["authorization"],
    }));
  });
}

/** Calls of one key differ by what may be asked alone. */
function keyOf({ from, to, port, until, further, layers }: Call): string {
  return JSON.stringify([from, to, port, until ?? "", further, layers]);
}

function nameOf(party: Party): string {
  return partyName(zoneOf(party), serviceOf(party));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The matrix in rows and columns, as text and Markdown both show it. */
import { SIDECAR_PORTS } from "../../mesh/wire";
import { PortSet } from "../../policies/reachability/network";
import type { Matrix, OutsidePair, Pair } from "./matrix";
import { zoneOf } from "./matrix";
import type { Changes } from "./report";
import { callText } from "./sidecars";
import type { Call, SidecarMatrix } from "./sidecars";

/** Most parties whose matrix can be read. */
export const MOST_COLUMNS = 40;
export const NOTHING = "·";
export const LEGEND = `c: calls (${SIDECAR_PORTS.inbound}), i: inspection (${SIDECAR_PORTS.inspection}), o: other ports; ${NOTHING}: nothing`;

const CALLS = PortSet.tcp(SIDECAR_PORTS.inbound);
const INSPECTION = PortSet.tcp(SIDECAR_PORTS.inspection);

/** Callers by callees: `ci`. The first row and the first column name them. */
export function serviceTable({ parties, pairs }: Matrix): readonly (readonly string[])[] {
  const cells = new Map(pairs.map(({ from, to, ports }) => [JSON.stringify([from, to]), symbols(ports)]));
  return [
    ["", ...parties],
    ...parties.map((from) => [from, ...parties.map((to) => cells.get(JSON.stringify([from, to])) ?? NOTHING)]),
  ];
}

/** Zones by zones: how many pairs of different services of the two are open. */
export function zoneTable({ parties, pairs }: Matrix): readonly (readonly string[])[] {
  const zones = [...new Set(parties.map(zoneOf))];
  const count = (from: string, to: string) =>
    pairs.filter((pair) => pair.from !== pair.to && zoneOf(pair.from) === from && zoneOf(pair.to) === to).length;
  return [
    ["", ...zones],
    ...zones.map((from) => [from, ...zones.map((to) => (count(from, to) === 0 ? NOTHING : String(count(from, to))))]),
  ];
}

/** `Ops/admin-ui → Chain/lucid-blocks`. */
export function pairText({ from, to }: Pick<Pair, "from" | "to">): string {
  return `${from} → ${to}`;
}

/** `Mesh/consul → pods (…)`, or from them. */
export function outsideText({ party, direction, whom }: OutsidePair): string {
  return direction === "egress" ? `${party} → ${whom}` : `${whom} → ${party}`;
}

/** What opens and what closes, a row each: which, who and whom, on which ports or what may be asked. */
export function changeRows({ opens, closes, calls }: Changes): readonly (readonly [string, string, string])[] {
  const rows = (word: string, { pairs, outside }: Pick<Matrix, "pairs" | "outside">, asked: readonly Call[]) => [
    ...pairs.map((pair) => [word, pairText(pair), pair.ports.toString()] as const),
    ...outside.map((pair) => [word, outsideText(pair), pair.ports.toString()] as const),
    ...asked.map((call) => [word, pairText(call), `${call.port}: ${callText(call)}`] as const),
  ];
  return [...rows("opens", opens, calls.opens), ...rows("closes", closes, calls.closes)];
}

/** Who may ask what of which port: the layers of authorization and of ways. */
export function callTable({ calls }: SidecarMatrix): readonly (readonly string[])[] {
  return [["caller → callee", "port", "may ask"], ...calls.map((call) => [pairText(call), call.port, callText(call)])];
}

/** Whose roots each sidecar believes, and which names it answers: the layers of trust and of names. */
export function trustTable({ trust, names }: SidecarMatrix): readonly (readonly string[])[] {
  const answered = new Map(names.map(({ party, names: known }) => [party, known]));
  return [
    ["sidecar", "believes", "answers"],
    ...trust.map(({ party, zones }) => [party, zones.join(" ") || NOTHING, answered.get(party)?.join(" ") || NOTHING]),
  ];
}

function symbols(ports: PortSet): string {
  const others = ports.minus(CALLS).minus(INSPECTION);
  return `${ports.meets(CALLS) ? "c" : ""}${ports.meets(INSPECTION) ? "i" : ""}${others.isEmpty ? "" : "o"}`;
}

/** The matrix in rows and columns, as text and Markdown both show it. */
import { SIDECAR_PORTS } from "../../mesh/wire";
import { PortSet } from "../../policies/reachability/network";
import type { Matrix, OutsidePair, Pair } from "./matrix";
import { zoneOf } from "./matrix";

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
export function pairText({ from, to }: Pair): string {
  return `${from} → ${to}`;
}

/** `Mesh/consul → pods (…)`, or from them. */
export function outsideText({ party, direction, whom }: OutsidePair): string {
  return direction === "egress" ? `${party} → ${whom}` : `${whom} → ${party}`;
}

/** What opens or closes, a row each. */
export function changeRows({
  pairs,
  outside,
}: Pick<Matrix, "pairs" | "outside">): readonly (readonly [string, string])[] {
  return [
    ...pairs.map((pair) => [pairText(pair), pair.ports.toString()] as const),
    ...outside.map((pair) => [outsideText(pair), pair.ports.toString()] as const),
  ];
}

function symbols(ports: PortSet): string {
  const others = ports.minus(CALLS).minus(INSPECTION);
  return `${ports.meets(CALLS) ? "c" : ""}${ports.meets(INSPECTION) ? "i" : ""}${others.isEmpty ? "" : "o"}`;
}

/** The matrix in rows and columns, as text and Markdown both show it. */
import { SIDECAR_PORTS } from "../../mesh/wire";
import { PortSet } from "../../policies/reachability/network";
import type { Matrix, OutsidePair, Pair } from "./matrix";
import { zoneOf } from "./matrix";
import { whoHas } from "./registration";
import type { RegistrationMatrix, RegistrationRow } from "./registration";
import type { Changes, Opening } from "./report";
import { callText } from "./sidecars";
import type { SidecarMatrix } from "./sidecars";

/** Most parties whose matrix can be read. */
export const MOST_COLUMNS = 40;
export const NOTHING = "·";
export const LEGEND = `c: calls (${SIDECAR_PORTS.inbound}), i: inspection (${SIDECAR_PORTS.inspection}), o: other ports; ${NOTHING}: nothing`;

/** Most things besides services that a cell names. */
const MOST_BESIDES = 4;

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
export function changeRows({ opens, closes }: Changes): readonly (readonly [string, string, string])[] {
  return [...openingRows("opens", opens), ...openingRows("closes", closes)];
}

function openingRows(word: string, { pairs, outside, calls, waysOut, registration }: Opening) {
  return [
    ...pairs.map((pair) => [word, pairText(pair), pair.ports.toString()] as const),
    ...outside.map((pair) => [word, outsideText(pair), pair.ports.toString()] as const),
    ...calls.map((call) => [word, pairText(call), `${call.port}: ${callText(call)}`] as const),
    ...waysOut.map(({ party, port, where }) => [word, `${party} → outside`, `${port}: ${where}`] as const),
    ...registration.map(({ who, by, act, what }) => [word, `${who} → ${what}`, `${act} by ${by}`] as const),
  ];
}

/** Who may ask what of which port: the layers of authorization and of ways. */
export function callTable({ calls }: SidecarMatrix): readonly (readonly string[])[] {
  return [["caller → callee", "port", "may ask"], ...calls.map((call) => [pairText(call), call.port, callText(call)])];
}

/** Where sidecars go out of the cluster, and by what proof; no more than its head where none does. */
export function outsideTable({ outside }: SidecarMatrix): readonly (readonly string[])[] {
  return [["stands for", "port", "what is outside"], ...outside.map(({ party, port, where }) => [party, port, where])];
}

/** Whose roots each sidecar believes, and which names it answers: the layers of trust and of names. */
export function trustTable({ trust, names }: SidecarMatrix): readonly (readonly string[])[] {
  const answered = new Map(names.map(({ party, names: known }) => [party, known]));
  return [
    ["sidecar", "believes", "answers"],
    ...trust.map(({ party, zones }) => [party, zones.join(" ") || NOTHING, answered.get(party)?.join(" ") || NOTHING]),
  ];
}

/** Credentials by zones: what of each zone's services may be done by each, and what besides. The layer of registration. */
export function registrationTable({ services, rows }: RegistrationMatrix): readonly (readonly string[])[] {
  const zones = [...new Set(services.map(zoneOf))];
  return [
    ["by", "who has it", ...zones, "besides"],
    ...rows.map((row) => [
      row.by,
      whoHas(row),
      ...zones.map((zone) =>
        zoneCell(
          row,
          services.filter((service) => zoneOf(service) === zone),
        ),
      ),
      besides(row),
    ]),
  ];
}

/** `registers`, `registers 1 of 3, looks up`. */
function zoneCell({ acts }: RegistrationRow, services: readonly string[]): string {
  const of = (wanted: readonly string[]) =>
    acts.filter(({ act, what, isService }) => isService && wanted.includes(act) && services.includes(what)).length;
  const said = (word: string, count: number) =>
    count === 0 ? [] : [count === services.length ? word : `${word} ${String(count)} of ${String(services.length)}`];
  const registered = of(["register"]);
  const lookedUp = registered === services.length ? 0 : of(["register", "look up"]);
  return [...said("registers", registered), ...said("looks up", lookedUp)].join(", ") || NOTHING;
}

/** What is of no service: by each verb the things, as many as can be read. */
function besides({ acts, isRoot }: RegistrationRow): string {
  if (isRoot) return "everything";
  const others = acts.filter(({ isService }) => !isService);
  return (
    [...new Set(others.map(({ act }) => act))]
      .map((act) => {
        const what = others.filter((other) => other.act === act).map((other) => other.what);
        const rest = what.length > MOST_BESIDES ? [`${String(what.length - MOST_BESIDES)} more`] : [];
        return `${act} ${[...what.slice(0, MOST_BESIDES), ...rest].join(", ")}`;
      })
      .join("; ") || NOTHING
  );
}

function symbols(ports: PortSet): string {
  const others = ports.minus(CALLS).minus(INSPECTION);
  return `${ports.meets(CALLS) ? "c" : ""}${ports.meets(INSPECTION) ? "i" : ""}${others.isEmpty ? "" : "o"}`;
}

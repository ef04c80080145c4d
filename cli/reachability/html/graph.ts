/** The edges as a drawn graph: zones as columns, their services in them, arrows between services. */
import { NOTHING_SHOWN, html } from "../../../html/markup";
import type { Markup } from "../../../html/markup";
import { arrowHead, curve, layoutOf, nodeMarkup, zoneMarkup } from "../../../html/zones";
import type { Box, Sizes } from "../../../html/zones";
import { SIDECAR_PORTS } from "../../../mesh/wire";
import { PortSet } from "../../../policies/reachability/network";
import type { Matrix, Pair } from "../matrix";
import { zoneOf } from "../matrix";
import type { Changes } from "../report";
import { MOST_COLUMNS } from "../tables";

const SIZES: Sizes = {
  node: { width: 190, height: 34, gap: 22 },
  zone: { padding: 20, title: 30, gap: 120 },
  margin: 12,
};
const CALLS = PortSet.tcp(SIDECAR_PORTS.inbound);

/** How an arrow is drawn: its class in the page's style, and what is said of it. */
type Kind = "call" | "other" | "opens" | "closes";

/** The drawing; of more services than can be drawn, that of the zones. */
export function graph(matrix: Matrix, changes: Changes | undefined): Markup {
  const isDrawable = matrix.parties.length <= MOST_COLUMNS;
  const shown = isDrawable ? { matrix, changes } : { matrix: byZone(matrix), changes: undefined };
  const { zones, nodes, width, height } = layoutOf(
    shown.matrix.parties.map((name) => ({ name, zone: zoneOf(name) })),
    SIZES,
  );
  const arrows = arrowsOf(shown.matrix, shown.changes).flatMap(({ pair, kind }) => {
    const [from, to] = [nodes.get(pair.from), nodes.get(pair.to)];
    return from === undefined || to === undefined || from === to ? [] : [arrow(from, to, pair, kind)];
  });
  const what = isDrawable ? "services" : "zones";
  return html`<svg
      role="img"
      aria-labelledby="graph-title graph-text"
      viewBox="0 0 ${width} ${height}"
      width="${width}"
      height="${height}"
    >
      <title id="graph-title">Edges between ${what}</title>
      <desc id="graph-text">
        An arrow goes from who may open a connection to whom. The tables below hold the same in text.
      </desc>
      <defs>${(["call", "other", "opens", "closes"] as const).map(arrowHead)}</defs>
      ${zones.map((zone) => zoneMarkup(zone, SIZES))} ${arrows}
      ${[...nodes.values()].map((box) => nodeMarkup(box, serviceOf(box.name), { title: box.name }))}
    </svg>
    ${isDrawable ? NOTHING_SHOWN : html`<p>${matrix.parties.length} services are too many to be drawn; these are their zones.</p>`}`;
}

/** Pairs as they are, and those that are no more; what opens is told from what was open before. */
function arrowsOf(matrix: Matrix, changes: Changes | undefined): readonly { pair: Pair; kind: Kind }[] {
  const keyOf = ({ from, to }: Pair) => JSON.stringify([from, to]);
  const opened = new Set((changes?.opens.pairs ?? []).map(keyOf));
  return [
    ...matrix.pairs.map((pair) => ({
      pair,
      kind: opened.has(keyOf(pair))
        ? ("opens" as const)
        : pair.ports.meets(CALLS)
          ? ("call" as const)
          : ("other" as const),
    })),
    ...(changes?.closes.pairs ?? []).map((pair) => ({ pair, kind: "closes" as const })),
  ];
}

function byZone({ parties, pairs }: Matrix): Matrix {
  const joined = new Map<string, Pair>();
  for (const pair of pairs) {
    const [from, to] = [zoneOf(pair.from), zoneOf(pair.to)];
    const key = JSON.stringify([from, to]);
    joined.set(key, { from, to, ports: pair.ports.union(joined.get(key)?.ports ?? PortSet.none) });
  }
  return { parties: [...new Set(parties.map(zoneOf))], pairs: [...joined.values()], outside: [] };
}

function arrow(from: Box, to: Box, pair: Pair, kind: Kind): Markup {
  const said = { call: "may call", other: "may reach", opens: "may now reach", closes: "may no longer reach" }[kind];
  return html`<path class="arrow ${kind}" d="${curve(from, to, SIZES)}" marker-end="url(#head-${kind})"
    ><title>${pair.from} ${said} ${pair.to} on ${pair.ports.toString()}</title></path
  > `;
}

function serviceOf(party: string): string {
  return party.includes("/") ? party.slice(party.indexOf("/") + 1) : party;
}

/** The edges as a drawn graph: zones as columns, their services in them, arrows between services. */
import { SIDECAR_PORTS } from "../../../mesh/wire";
import { PortSet } from "../../../policies/reachability/network";
import type { Matrix, Pair } from "../matrix";
import { zoneOf } from "../matrix";
import type { Changes } from "../report";
import { MOST_COLUMNS } from "../tables";
import { NOTHING_SHOWN, html } from "./markup";
import type { Markup } from "./markup";

const NODE = { width: 190, height: 34, gap: 22 } as const;
const ZONE = { padding: 20, title: 30, gap: 120 } as const;
const MARGIN = 12;
const CALLS = PortSet.tcp(SIDECAR_PORTS.inbound);

interface Box {
  readonly name: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

interface Layout {
  readonly zones: readonly Box[];
  readonly nodes: ReadonlyMap<string, Box>;
  readonly width: number;
  readonly height: number;
}

/** How an arrow is drawn: its class in the page's style, and what is said of it. */
type Kind = "call" | "other" | "opens" | "closes";

/** The drawing; of more services than can be drawn, that of the zones. */
export function graph(matrix: Matrix, changes: Changes | undefined): Markup {
  const isDrawable = matrix.parties.length <= MOST_COLUMNS;
  const shown = isDrawable ? { matrix, changes } : { matrix: byZone(matrix), changes: undefined };
  const { zones, nodes, width, height } = layoutOf(shown.matrix.parties);
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
      <defs>${(["call", "other", "opens", "closes"] as const).map(marker)}</defs>
      ${zones.map(zoneMarkup)} ${arrows} ${[...nodes.values()].map(nodeMarkup)}
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

function layoutOf(parties: readonly string[]): Layout {
  const zones: Box[] = [];
  const nodes = new Map<string, Box>();
  let x = MARGIN;
  for (const zone of [...new Set(parties.map(zoneOf))]) {
    const members = parties.filter((party) => zoneOf(party) === zone);
    const width = NODE.width + 2 * ZONE.padding;
    const height = ZONE.title + members.length * (NODE.height + NODE.gap) + ZONE.padding;
    zones.push({ name: zone, x, y: MARGIN, width, height });
    members.forEach((name, index) => {
      const y = MARGIN + ZONE.title + ZONE.padding / 2 + index * (NODE.height + NODE.gap);
      nodes.set(name, { name, x: x + ZONE.padding, y, width: NODE.width, height: NODE.height });
    });
    x += width + ZONE.gap;
  }
  const height = Math.max(0, ...zones.map((zone) => zone.height)) + 2 * MARGIN;
  return { zones, nodes, width: Math.max(0, x - ZONE.gap) + MARGIN + ZONE.gap / 2, height };
}

/** A curve from side to side; between two of one column it bulges to the right. */
function arrow(from: Box, to: Box, pair: Pair, kind: Kind): Markup {
  const isSame = from.x === to.x;
  const isForth = isSame || from.x < to.x;
  const startX = isForth ? from.x + from.width : from.x;
  const endX = isForth && !isSame ? to.x : to.x + to.width;
  // Ends are spread over the node's side, so that arrows there and back don't lie on each other.
  const startY = from.y + from.height * (isForth ? 0.35 : 0.65);
  const endY = to.y + to.height * (isForth ? 0.35 : 0.65);
  const bend = isSame ? 30 + Math.abs(endY - startY) / 6 : Math.max(40, Math.abs(endX - startX) / 2);
  const controls = isSame
    ? [startX + bend, endX + bend]
    : isForth
      ? [startX + bend, endX - bend]
      : [startX - bend, endX + bend];
  const path = `M${round(startX)} ${round(startY)} C${round(controls[0] ?? 0)} ${round(startY)} ${round(controls[1] ?? 0)} ${round(endY)} ${round(endX)} ${round(endY)}`;
  const said = { call: "may call", other: "may reach", opens: "may now reach", closes: "may no longer reach" }[kind];
  return html`<path class="arrow ${kind}" d="${path}" marker-end="url(#head-${kind})"
    ><title>${pair.from} ${said} ${pair.to} on ${pair.ports.toString()}</title></path
  > `;
}

function marker(kind: Kind): Markup {
  return html`<marker
    id="head-${kind}"
    viewBox="0 0 8 8"
    refX="7"
    refY="4"
    markerWidth="7"
    markerHeight="7"
    orient="auto"
    ><path class="head ${kind}" d="M0 0 L8 4 L0 8 z"
  /></marker>`;
}

function zoneMarkup({ name, x, y, width, height }: Box): Markup {
  return html`<rect class="zone" x="${x}" y="${y}" width="${width}" height="${height}" rx="10" /><text
      class="zone-name"
      x="${x + ZONE.padding}"
      y="${y + ZONE.title - 6}"
      >${name}</text
    > `;
}

function nodeMarkup({ name, x, y, width, height }: Box): Markup {
  return html`<rect class="node" x="${x}" y="${y}" width="${width}" height="${height}" rx="6"
      ><title>${name}</title></rect
    ><text class="node-name" x="${x + width / 2}" y="${y + height / 2 + 5}">${shortened(serviceOf(name))}</text> `;
}

function serviceOf(party: string): string {
  return party.includes("/") ? party.slice(party.indexOf("/") + 1) : party;
}

/** As much of a name as fits into its box; its title says all of it. */
function shortened(name: string): string {
  const fits = 24;
  return name.length <= fits ? name : `${name.slice(0, fits - 1)}…`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

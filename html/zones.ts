/** Zones drawn as columns, what stands in them as boxes, and arrows between the boxes. */
import { html, type Markup } from "./markup";

/** Sizes, in units of the drawing. */
export interface Sizes {
  readonly node: { readonly width: number; readonly height: number; readonly gap: number };
  readonly zone: { readonly padding: number; readonly title: number; readonly gap: number };
  readonly margin: number;
}

/** What is drawn as a box. */
export interface Member {
  /** Unique in the drawing. */
  readonly name: string;
  readonly zone: string;
}

export interface Box {
  readonly name: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Layout {
  readonly zones: readonly Box[];
  readonly nodes: ReadonlyMap<string, Box>;
  readonly width: number;
  readonly height: number;
}

/** Each zone a column, in the order in which its first member comes. */
export function layoutOf(members: readonly Member[], { node, zone, margin }: Sizes): Layout {
  const zones: Box[] = [];
  const nodes = new Map<string, Box>();
  let x = margin;
  for (const name of new Set(members.map((member) => member.zone))) {
    const own = members.filter((member) => member.zone === name);
    const width = node.width + 2 * zone.padding;
    const height = zone.title + own.length * (node.height + node.gap) + zone.padding;
    zones.push({ name, x, y: margin, width, height });
    own.forEach((member, index) => {
      const y = margin + zone.title + zone.padding / 2 + index * (node.height + node.gap);
      nodes.set(member.name, { name: member.name, x: x + zone.padding, y, width: node.width, height: node.height });
    });
    x += width + zone.gap;
  }
  const height = Math.max(0, ...zones.map((one) => one.height)) + 2 * margin;
  return { zones, nodes, width: Math.max(0, x - zone.gap) + margin + zone.gap / 2, height };
}

/** Path of a curve from side to side; between two of one column it bulges to the right, and past other columns it hangs through between their boxes. */
export function curve(from: Box, to: Box, { node, zone }: Sizes): string {
  const isSame = from.x === to.x;
  const isForth = isSame || from.x < to.x;
  const startX = isForth ? from.x + from.width : from.x;
  const endX = isForth && !isSame ? to.x : to.x + to.width;
  // Ends are spread over the node's side, so that arrows there and back don't lie on each other.
  const startY = from.y + from.height * (isForth ? 0.35 : 0.65);
  const endY = to.y + to.height * (isForth ? 0.35 : 0.65);
  const bend = isSame ? 30 + Math.abs(endY - startY) / 6 : Math.max(40, Math.abs(endX - startX) / 2);
  const [startControl, endControl] = isSame
    ? [startX + bend, endX + bend]
    : isForth
      ? [startX + bend, endX - bend]
      : [startX - bend, endX + bend];
  const isPastOthers = Math.abs(from.x - to.x) > 1.5 * (node.width + 2 * zone.padding + zone.gap);
  // In its middle such a curve is three quarters of the way to its controls; ends lie off the middle of their boxes.
  const slack = isPastOthers ? (node.height + node.gap) / 2 / 0.6 : 0;
  const point = (x: number, y: number) => `${round(x)} ${round(y)}`;
  return `M${point(startX, startY)} C${point(startControl, startY + slack)} ${point(endControl, endY + slack)} ${point(endX, endY)}`;
}

/** Head of the arrows of a kind, to be named by `marker-end="url(#head-<kind>)"`. */
export function arrowHead(kind: string): Markup {
  return html`<marker
    id="head-${kind}"
    viewBox="0 0 8 8"
    refX="7"
    refY="4"
    markerUnits="userSpaceOnUse"
    markerWidth="11"
    markerHeight="11"
    orient="auto"
    ><path class="head ${kind}" d="M0 0 L8 4 L0 8 z"
  /></marker>`;
}

/** A zone's column. */
export function zoneMarkup({ name, x, y, width, height }: Box, { zone }: Sizes): Markup {
  return html`<rect class="zone" x="${x}" y="${y}" width="${width}" height="${height}" rx="10" /><text
      class="zone-name"
      x="${x + zone.padding}"
      y="${y + zone.title - 6}"
      >${name}</text
    > `;
}

/**
 * A box.
 *
 * @param kind classes of it besides
 * @param title all that is to be said of it
 */
export function nodeMarkup(
  { x, y, width, height }: Box,
  label: string,
  { title, kind = "" }: { readonly title: string; readonly kind?: string },
): Markup {
  return html`<rect class="${`node ${kind}`.trim()}" x="${x}" y="${y}" width="${width}" height="${height}" rx="6"
      ><title>${title}</title></rect
    ><text class="node-name" x="${x + width / 2}" y="${y + height / 2 + 5}">${shortened(label, width)}</text> `;
}

/** As much of a name as fits into its box; its title says all of it. */
function shortened(name: string, width: number): string {
  const fits = Math.floor(width / 7.9);
  return name.length <= fits ? name : `${name.slice(0, fits - 1)}…`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

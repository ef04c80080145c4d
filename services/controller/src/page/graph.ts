/** The graph of calls as it is now: zones as columns, edges by how they are and how much they carry. */
import { html, type Markup } from "../../../../html/markup.js";
import { arrowHead, curve, layoutOf, nodeMarkup, zoneMarkup, type Sizes } from "../../../../html/zones.js";
import { STATES, worst, type GraphEdge, type Overview, type State } from "../../../../mesh/overview/model.js";
import { milliseconds, perSecond } from "./words.js";

const SIZES: Sizes = {
  node: { width: 160, height: 34, gap: 22 },
  zone: { padding: 14, title: 30, gap: 90 },
  margin: 12,
};
/** Services that can be drawn; of more, their zones are. */
const MOST_DRAWN = 40;
/** Requests a second from which on a line is one step thicker. */
const STEPS = [0.1, 10, 1_000];

/** States of edges, in the order of the key. */
export const EDGE_STATES = ["well", "degraded", "failing", "unknown", "idle"] as const;

interface Drawn {
  readonly from: string;
  readonly to: string;
  readonly state: GraphEdge["state"];
  readonly requests: number;
  /** Only the mesh needs it. */
  readonly isBeside: boolean;
  readonly title: string;
}

interface Node {
  readonly name: string;
  readonly zone: string;
  readonly state: State;
}

/** The drawing; of more services than can be drawn, that of the zones. */
export function graphMarkup(overview: Overview): Markup {
  const { services } = overview;
  const isDrawable = services.length <= MOST_DRAWN;
  const nodes: readonly Node[] = isDrawable
    ? // In the order of the zones, so that columns stand as the tables do.
      overview.zones.flatMap(({ name }) => services.filter(({ zone }) => zone === name))
    : overview.zones.map(({ name, state }) => ({ name, zone: name, state }));
  const edges = isDrawable ? overview.edges.map(drawn) : betweenZones(overview);
  const { zones, nodes: boxes, width, height } = layoutOf(nodes, SIZES);
  const arrows = [...edges].sort(byWeight).flatMap((edge) => {
    const [from, to] = [boxes.get(edge.from), boxes.get(edge.to)];
    if (from === undefined || to === undefined || from === to) {
      return [];
    }
    const kind = `arrow ${edge.state} step-${String(stepOf(edge.requests))}${edge.isBeside ? " beside" : ""}`;
    return html`<path class="${kind}" d="${curve(from, to, SIZES)}" marker-end="url(#head-${edge.state})"
      ><title>${edge.title}</title></path
    > `;
  });
  const states = new Map(nodes.map(({ name, state }) => [name, state]));
  return html`<svg
      role="img"
      aria-labelledby="graph-title graph-text"
      viewBox="0 0 ${width} ${height}"
      width="${width}"
      height="${height}"
    >
      <title id="graph-title">Calls between ${isDrawable ? "services" : "zones"}</title>
      <desc id="graph-text">An arrow goes from caller to callee. The table below holds the same in text.</desc>
      <defs>${EDGE_STATES.map(arrowHead)}</defs>
      ${zones.map((zone) => zoneMarkup(zone, SIZES))} ${arrows}
      ${[...boxes.values()].map((box) => {
        const state = states.get(box.name) ?? "unknown";
        return nodeMarkup(box, box.name, { title: `${box.name}: ${state}`, kind: state });
      })}
    </svg>
    ${isDrawable ? [] : html`<p>${services.length} services are too many to be drawn; these are their zones.</p>`}`;
}

function drawn({ from, to, port, kind, state, observed, reason }: GraphEdge): Drawn {
  const seen =
    observed === null
      ? "nobody counted it"
      : `${perSecond(observed.requestsPerSecond)}, ${perSecond(observed.failuresPerSecond)} fail, half within ${milliseconds(observed.p50)}`;
  const why = reason === undefined ? "" : `; ${reason}`;
  const title = `${from} to ${to}, ${port}${kind === "call" ? "" : ` (${kind})`}: ${state}; ${seen}${why}`;
  const isBeside = kind === "telemetry" || kind === "authentication";
  return { from, to, state, requests: observed?.requestsPerSecond ?? 0, isBeside, title };
}

function betweenZones({ services, edges }: Overview): Drawn[] {
  const zones = new Map<string, string>(services.map(({ name, zone }) => [name, zone]));
  const joined = new Map<string, { from: string; to: string; states: GraphEdge["state"][]; requests: number }>();
  for (const { from, to, state, observed } of edges) {
    const [caller, callee] = [zones.get(from), zones.get(to)];
    if (caller === undefined || callee === undefined) {
      continue;
    }
    const key = `${caller}/${callee}`;
    const pair = joined.get(key) ?? { from: caller, to: callee, states: [], requests: 0 };
    pair.states.push(state);
    pair.requests += observed?.requestsPerSecond ?? 0;
    joined.set(key, pair);
  }
  return [...joined.values()].map(({ from, to, states, requests }) => {
    const used = states.filter((state) => state !== "idle");
    const state = used.length === 0 ? "idle" : worst(used);
    const title = `${String(states.length)} edges from ${from} to ${to}: ${state}; ${perSecond(requests)}`;
    return { from, to, state, requests, isBeside: false, title };
  });
}

function stepOf(requests: number): number {
  return STEPS.filter((step) => requests >= step).length;
}

/** What matters most is drawn last, on top. */
function byWeight(one: Drawn, other: Drawn): number {
  const weight = ({ state, isBeside }: Drawn): number =>
    (state === "idle" ? -1 : STATES.indexOf(state)) + (isBeside ? -10 : 0);
  return weight(one) - weight(other);
}

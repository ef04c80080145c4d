/** What each layer lets through, in the form in which the page shows any layer. */
import { SIDECAR_PORTS } from "../../../mesh/wire";
import type { Report } from "../report";

/** One layer of the page. */
export interface ShownLayer {
  readonly name: string;
  /** What enforces it, and what it tells apart. */
  readonly enforces: string;
  readonly ways: readonly Way[];
}

/** What a layer lets one party do to another. */
export interface Way {
  readonly from: string;
  readonly to: string;
  /** `15001/TCP`. */
  readonly what: string;
}

/** A layer of a report; undefined where the report has none of it. */
export type LayerReader = (report: Report) => ShownLayer | undefined;

/** The layers that a page shows, in this order. A further one is one more entry: every part of the page goes by this list. */
const READERS: readonly LayerReader[] = [networkLayer];

/** The layers of a report. */
export function shownLayers(report: Report): readonly ShownLayer[] {
  return READERS.flatMap((read) => read(report) ?? []);
}

function networkLayer({ matrix }: Report): ShownLayer | undefined {
  if (matrix === undefined) return undefined;
  return {
    name: "network",
    enforces: `NetworkPolicies, on both sides: which pods may open which ports (${String(SIDECAR_PORTS.inbound)} takes calls, ${String(SIDECAR_PORTS.inspection)} inspection)`,
    ways: matrix.pairs.map(({ from, to, ports }) => ({ from, to, what: ports.toString() })),
  };
}

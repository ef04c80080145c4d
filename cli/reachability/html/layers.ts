/** What each layer lets through, in the form in which the page shows any layer. */
import { SIDECAR_PORTS } from "../../../mesh/wire";
import type { Report } from "../report";
import { callText } from "../sidecars";
import type { Call } from "../sidecars";

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
const READERS: readonly LayerReader[] = [networkLayer, authorizationLayer, waysLayer];

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

function authorizationLayer(report: Report): ShownLayer | undefined {
  return sidecarLayer(report, "authorization", {
    enforces: "the callee's sidecar: whose certificate may ask what of which port, until when, and who else must agree",
    text: (call) => `${call.port}: ${callText({ ...call, layers: [] })}`,
  });
}

function waysLayer(report: Report): ShownLayer | undefined {
  return sidecarLayer(report, "ways", {
    enforces:
      "the caller's sidecar: the ports to which a way leads out of its pod, and whose certificate it asks for there",
    text: ({ port }) => port,
  });
}

function sidecarLayer(
  { sidecars }: Report,
  name: Call["layers"][number],
  { enforces, text }: { readonly enforces: string; readonly text: (call: Call) => string },
): ShownLayer | undefined {
  if (sidecars === undefined) return undefined;
  const ways = sidecars.calls.filter(({ layers }) => layers.includes(name));
  return { name, enforces, ways: distinct(ways.map((call) => ({ from: call.from, to: call.to, what: text(call) }))) };
}

/** A port with several grants has one way that leads to it. */
function distinct(ways: readonly Way[]): readonly Way[] {
  return [...new Map(ways.map((way) => [JSON.stringify([way.from, way.to, way.what]), way])).values()];
}
